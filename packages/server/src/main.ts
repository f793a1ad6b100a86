/**
 * The life of the server as a process: users, log, start, banner, and an orderly stop on SIGTERM or SIGINT.
 */
import { nodeClock } from '@carillon/sip-transaction'
import { createServer, type Server } from './app'
import { bannerText } from './cli/banner'
import type { Config, EffectiveAddresses } from './config'
import { STOP_SIGNAL_REPEAT_MS } from './limits'
import { createLogger } from './observability/logger'
import { ensureDataDir, openUsersFile, StaticUserStore, type StoredUser } from './store'
import { VERSION } from './version'

/** What the server needs of its process. */
export interface ProcessHost {
  stdout(text: string): void
  stderr(text: string): void
  /** Calls the listener on each SIGTERM or SIGINT; returns how to stop that. */
  onStopSignal(listener: () => void): () => void
}

/**
 * Runs the server until it is told to stop, and returns the exit code 0.
 *
 * @throws ServerError when it cannot start
 */
export async function serve(config: Config, addresses: EffectiveAddresses, host: ProcessHost): Promise<number> {
  const opened = openUsers(config)
  const logger = createLogger(config.log.level)
  const server = createServer(config, { users: new StaticUserStore(opened.users), logger, addresses })
  const stop = new AbortController()
  const stopNow = new AbortController()
  let firstSignalMs = 0
  const unsubscribe = host.onStopSignal(() => {
    const nowMs = nodeClock.monotonicMs()
    if (!stop.signal.aborted) {
      firstSignalMs = nowMs
      stop.abort()
    } else if (nowMs - firstSignalMs >= STOP_SIGNAL_REPEAT_MS) stopNow.abort()
  })
  try {
    await server.start()
    host.stdout(
      bannerText({
        config,
        domain: addresses.domain,
        isDomainExplicit: addresses.isDomainExplicit,
        serverAddress: addresses.serverAddress,
        listeners: server.addresses,
        users: opened.users,
        usersFile: opened.file,
        isFirstStart: opened.isNew,
      }),
    )
    logger.info({ event: 'server.ready', version: VERSION, extensions: opened.users.length }, 'ready')
    await aborted(stop.signal)
    await stopInOrder(server, stopNow.signal, host)
    logger.info({ event: 'server.stopped' }, 'stopped')
    return 0
  } finally {
    unsubscribe()
    await server.stop({ drainTimeoutMs: 0 })
    await logger.close()
  }
}

async function stopInOrder(server: Server, stopNow: AbortSignal, host: ProcessHost): Promise<void> {
  const { calls } = server.stats()
  if (calls > 0)
    host.stdout(`Stopping: ${calls} ${calls === 1 ? 'call lives' : 'calls live'}. Ctrl+C again hangs up at once.\n`)
  await server.stop({ signal: stopNow })
}

interface OpenedUsers {
  readonly users: readonly StoredUser[]
  readonly file: string | undefined
  readonly isNew: boolean
}

function openUsers(config: Config): OpenedUsers {
  if (config.users.length > 0) {
    ensureDataDir(config.dataDir)
    return { users: config.users.map((user) => ({ ...user, isGenerated: false })), file: undefined, isNew: false }
  }
  const { users, path, isNew } = openUsersFile(config.dataDir)
  return { users, file: path, isNew }
}

function aborted(signal: AbortSignal): Promise<void> {
  return signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}
