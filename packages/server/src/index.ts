/**
 * @carillon/server: a SIP telephone server that composes the stack and the relay. This is what a program gets that
 * embeds it; the command `carillon` is built on the same.
 */
export { createServer, type Server, type ServerPorts, type ServerStats, type StopOptions } from './app'
export {
  type Config,
  type ConfigKey,
  type ConfigSources,
  type ConfiguredUser,
  configFrom,
  configKeys,
  configReference,
  type EffectiveAddresses,
  type ListenAddress,
  type LoadedConfig,
  loadConfig,
  type MachineAddresses,
  type MediaInterface,
  machineAddresses,
  type Origin,
  type PortRange,
  resolveAddresses,
} from './config'
export { SERVER_ERROR_CODES, ServerError, type ServerErrorCode } from './errors'
export type {
  MediaBackend,
  MediaDirection,
  MediaParties,
  MediaParty,
  MediaReport,
  MediaSession,
  MediaStats,
  SrtpPolicy,
} from './media/port'
export { createLogger, type LogLevel, type LogStream, type ServerLogger } from './observability/logger'
export { StaticUserStore, type User, type UserStore } from './store'
export { VERSION } from './version'
