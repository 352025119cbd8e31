-- The server's clock: one clock for every machine.
SELECT clock_timestamp() AS now
