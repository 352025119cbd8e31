//! Owns connections: where the server is, who we are, and the contract of every session.
