/**
 * The log: JSON lines by pino, on standard error unless a stream is handed in. Secrets are taken out by name, and a
 * slow reader of the log never holds the server up: what it does not take in time is dropped.
 */
import type { Logger } from '@carillon/sip-transaction'
import pino from 'pino'
import { LOG_BUFFER_BYTES_MAX } from '../limits'

/** The levels, least severe first. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** A logger that can be flushed before the process ends. */
export interface ServerLogger extends Logger {
  /** Writes out what is buffered. */
  flush(): void
}

/** Where log lines go; anything with a `write` that takes one line. */
export interface LogStream {
  write(line: string): void
}

/** Names of fields whose values never reach the log, at the top and one level down. */
const SECRET_FIELDS = ['password', 'ha1', 'secret', 'nonce', 'cnonce', 'response', 'authorization', 'crypto', 'key']

/** Makes the logger. Without a stream it writes to standard error, without waiting for it. */
export function createLogger(level: LogLevel, stream?: LogStream): ServerLogger {
  const destination = stream ? undefined : pino.destination({ fd: 2, sync: false, maxLength: LOG_BUFFER_BYTES_MAX })
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: '******' },
  }
  const log = pino(options, stream ?? (destination as pino.DestinationStream))
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush() {
      try {
        destination?.flushSync()
      } catch {
        // Standard error is closed, or was never opened: there is nobody left to tell.
      }
    },
  }
}
