//! Shows a whole change under load.
