/**
 * The store port: what signalling asks of whoever keeps the users. Reads are asynchronous, so that a database can
 * answer them; signalling does them before it decides, and decides without waiting.
 */

import type { SrtpPolicy } from '../media/port'

/** A user with an extension of its own. */
export interface User {
  readonly extension: string
  /** Kept as it is, because each digest algorithm hashes it differently. Never logged. */
  readonly password: string
  readonly displayName?: string
  /** How the user's phones are offered media; as the configuration says when absent. */
  readonly srtp?: SrtpPolicy
}

/** Keeps the users. */
export interface UserStore {
  /** The user of that extension, if there is one. Extensions are compared byte for byte. */
  find(extension: string): Promise<User | undefined>
  /** How many there are. */
  readonly size: number
  /** Every user, in the order of their extensions. */
  list(): readonly User[]
}
