/**
 * Errors of the server and their codes. Network input never ends in one of these: they tell an operator, or the
 * program that embeds the server, what is wrong with a setting, a file or an address.
 */

/** Every code of a {@link ServerError}, with what it means. */
export const SERVER_ERROR_CODES = {
  CONFIG_INVALID: 'A setting holds a value that it does not accept.',
  CONFIG_UNKNOWN_KEY: 'A setting, environment variable or flag of that name does not exist.',
  CONFIG_FILE_UNREADABLE: 'The configuration file cannot be read, or is not JSON.',
  CLI_USAGE: 'The command line asks for something that does not exist.',
  DATA_DIR_UNUSABLE: 'The data directory, or a file in it, cannot be made, read or written.',
  USERS_FILE_INVALID: 'The users file holds something other than users.',
  LISTEN_FAILED: 'A listener could not be opened: the port is in use, or the address is not of this machine.',
  MEDIA_FAILED: 'The media relay could not be opened on the configured address.',
  NOT_STOPPED: 'The server was started while it runs, or again after it was stopped.',
} as const

/** A code of a {@link ServerError}. */
export type ServerErrorCode = keyof typeof SERVER_ERROR_CODES

/** An error with a stable code and a message of one line that never holds a secret. */
export class ServerError extends Error {
  /** @param code - what went wrong; @param message - one line for the operator, without secrets. */
  constructor(
    readonly code: ServerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'ServerError'
  }

  /** The exit code that a command ends with: 2 for wrong configuration or usage, 1 for everything else. */
  get exitCode(): 1 | 2 {
    return this.code.startsWith('CONFIG_') || this.code === 'CLI_USAGE' ? 2 : 1
  }
}
