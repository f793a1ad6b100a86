/**
 * The digest clients of a stack: whoever hands in the same credentials object again uses the nonces that it has won
 * before, so that a registration is refreshed without a challenge (RFC 3261 §22.1, §22.3).
 */
import { DigestClient } from '../../auth/client'
import type { Core } from '../core'
import type { UserCredentials } from '../options'

/** By the object itself, never by what it holds; both go when their owners go. */
const clients = new WeakMap<Core, WeakMap<UserCredentials, DigestClient>>()

/** The client for one call or request of these credentials. */
export function digestClientFor(core: Core, credentials: UserCredentials): DigestClient {
  let known = clients.get(core)
  if (known === undefined) {
    known = new WeakMap()
    clients.set(core, known)
  }
  let client = known.get(credentials)
  if (client === undefined) {
    client = new DigestClient({ random: core.random, account: credentials })
    known.set(credentials, client)
  }
  return client.fork()
}
