/** The store: a port, and what implements it. */
export type { User, UserStore } from './port'
export { StaticUserStore } from './static-users'
export { ensureDataDir, openUsersFile, type StoredUser } from './users-file'
