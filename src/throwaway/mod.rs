//! Starts and stops throwaway PostgreSQL servers from the binaries at hand.
