//! Owns gates: facts in, open or every reason why not out.
