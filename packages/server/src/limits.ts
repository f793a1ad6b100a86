/**
 * Every cap of the server that is not a configuration key. Caps that an operator may want to move are keys, with these
 * as their bounds. Each has a row in docs/LIMITS.md.
 */

/** The longest configuration file that is read. */
export const CONFIG_FILE_BYTES_MAX = 1_048_576

/** The longest users file that is read. */
export const USERS_FILE_BYTES_MAX = 16_777_216

/** How many users the static and the file store hold. */
export const USERS_MAX = 100_000

/** How many listeners one server opens. */
export const LISTENERS_MAX = 16

/** How many sources of failed logins are remembered; the oldest is forgotten first. */
export const LOGIN_SOURCES_MAX = 10_000

/** Wrong passwords for one user from one address within the window, after which that pair is refused unchecked. */
export const LOGIN_FAILURES_PER_USER_MAX = 20

/** Wrong passwords from one address within the window, after which that address is refused unchecked. */
export const LOGIN_FAILURES_PER_ADDRESS_MAX = 200

/** The window in which wrong passwords are counted. */
export const LOGIN_FAILURES_WINDOW_MS = 60_000

/** What a phone is told to wait before it calls again when the server is full or stopping. */
export const RETRY_AFTER_SECONDS = 5

/** How long live calls get to exchange BYE once the drain time is over. */
export const HANGUP_GRACE_MS = 2_000

/** A signal to stop that comes sooner after the first is the same wish: a process group and a parent may both deliver it. */
export const STOP_SIGNAL_REPEAT_MS = 1_000

/** How often the counters of dropped input are logged, when they changed. */
export const DROPPED_REPORT_INTERVAL_MS = 60_000

/** Log bytes that wait for a slow reader of the log; more is dropped, so that the server never waits for it. */
export const LOG_BUFFER_BYTES_MAX = 16_777_216

/** How long the end of the process waits for the rest of the log to be taken. */
export const LOG_CLOSE_TIMEOUT_MS = 1_000

/** The longest text taken from the network into one field of a log line. */
export const LOG_FIELD_CHARS_MAX = 128
