/**
 * Users that are given once and do not change.
 */
import type { User, UserStore } from './port'

/** A store over a fixed list of users. */
export class StaticUserStore implements UserStore {
  readonly #users: ReadonlyMap<string, User>

  /** @param users - the users; a later one of the same extension replaces an earlier. */
  constructor(users: Iterable<User>) {
    this.#users = new Map([...users].map((user) => [user.extension, user]))
  }

  find(extension: string): Promise<User | undefined> {
    return Promise.resolve(this.#users.get(extension))
  }

  get size(): number {
    return this.#users.size
  }

  list(): readonly User[] {
    return [...this.#users.values()].sort((a, b) => (a.extension < b.extension ? -1 : 1))
  }
}
