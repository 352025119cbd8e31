-- Who took an advisory lock last, as the process put itself on record.
SELECT r.os_user, r.host, r.pid, r.command, l.taken_at
FROM lock_holder l JOIN runner r ON r.id = l.runner WHERE l.lock = $1
