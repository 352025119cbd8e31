-- When somebody looked who is connected, in the last so many seconds, oldest first.
SELECT at FROM look WHERE at > clock_timestamp() - make_interval(secs => $1) ORDER BY at
