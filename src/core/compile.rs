//! Compiles a plan into steps, purely.
