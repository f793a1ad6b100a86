/**
 * The servers that are loaded: each is started on core 0 on a free loopback port. They serve the users 2001 and on, all
 * with the password "secret".
 */

import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isOnPath, type Pinned, startPinned } from './pinned.ts'

/** How many users there are. */
export const userCount = 500
/** The first of them; the others count up from it. */
export const firstUser = 2001

const serverCore = 0
const mediaPorts = '20000-27999'
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** A running server under load. */
export interface LoadedServer {
  readonly name: string
  readonly does: string
  readonly port: number
  readonly pid: number
  /** The last part of what it has written. */
  output(): string
  stop(): Promise<void>
}

/** A kind of server; `start` gives undefined when it is not installed here. */
export interface ServerKind {
  readonly name: string
  start(): Promise<LoadedServer | undefined>
}

/** Servers that answer OPTIONS. */
export const optionsResponders: readonly ServerKind[] = [
  nodeKind('carillon', 'SipStack, a handler that replies 200', './peers/carillon-uas.ts'),
  kamailioKind('sl_send_reply, stateless', []),
]

/** Registrars that ask for no credentials. */
export const openRegistrars: readonly ServerKind[] = [
  nodeKind('carillon', 'SipStack and its binding table', './peers/carillon-registrar.ts', 'none'),
  nodeKind('sip', 'npm sip, bindings in a Map', './peers/sip-registrar.cjs', 'none'),
  kamailioKind('usrloc in memory, stateless answers', []),
]

/** Registrars that ask for digest credentials (MD5). */
export const digestRegistrars: readonly ServerKind[] = [
  nodeKind('carillon', 'SipStack, its digest and its binding table', './peers/carillon-registrar.ts', 'digest'),
  carillonServer('carillon server', 'as shipped: log, guard, store'),
  nodeKind('sip', 'npm sip with its digest module', './peers/sip-registrar.cjs', 'digest'),
  kamailioKind('pv_www_authenticate, usrloc in memory', ['-A', 'WITH_AUTH']),
]

/** User agents that answer calls. */
export const callees: readonly ServerKind[] = [
  nodeKind('carillon', 'SipStack, 200 with SDP to every INVITE', './peers/carillon-uas.ts'),
]

/** Servers that pass calls on to where their Request-URI says. */
export const proxies: readonly ServerKind[] = [
  nodeKind('carillon', 'request.proxy, stateful, with Record-Route', './peers/carillon-proxy.ts', 'proxy'),
  kamailioKind('t_relay, stateful, with Record-Route', ['-A', 'AS_PROXY']),
]

/** The same by two dialogs. */
export const bridges: readonly ServerKind[] = [
  nodeKind('carillon', 'request.bridge', './peers/carillon-proxy.ts', 'bridge'),
]

/** Servers that connect calls, with digest for the caller. */
export const callServers: readonly ServerKind[] = [
  carillonServer('carillon', 'back-to-back user agent, SDP rewritten, four relay ports opened for each call'),
  kamailioKind('stateful proxy with Record-Route, media not touched', ['-A', 'WITH_AUTH']),
]

function nodeKind(name: string, does: string, script: string, mode = ''): ServerKind {
  return {
    name,
    start: async () => {
      const port = await freeUdpPort()
      const server = startPinned(serverCore, process.execPath, [path(script), String(port), mode])
      await server.waitFor(/ready/, 15_000)
      return loaded(name, does, port, server)
    },
  }
}

function carillonServer(name: string, does: string): ServerKind {
  return {
    name,
    start: async () => {
      const port = await freeUdpPort()
      const dataDir = mkdtempSync(join(tmpdir(), 'carillon-bench-'))
      const users = Array.from({ length: userCount }, (_, index) => `${firstUser + index}:secret`)
      const server = startPinned(
        serverCore,
        process.execPath,
        [path('../../packages/server/bin/carillon.cjs'), 'start'],
        {
          CARILLON_SIP_LISTEN: `udp://127.0.0.1:${port}`,
          CARILLON_DOMAIN: 'carillon.test',
          CARILLON_MEDIA_ADDRESS: '127.0.0.1',
          CARILLON_MEDIA_PORTS: mediaPorts,
          CARILLON_DATA_DIR: join(dataDir, 'data'),
          CARILLON_LOG_LEVEL: 'warn',
          CARILLON_DRAIN_TIMEOUT_MS: '0',
          CARILLON_AUTH_ALGORITHMS: 'MD5',
          CARILLON_USERS: users.join(','),
        },
      )
      await server.waitFor(/ready/i, 20_000)
      return loaded(name, does, port, server, () => rmSync(dataDir, { recursive: true, force: true }))
    },
  }
}

function kamailioKind(does: string, extra: readonly string[]): ServerKind {
  return {
    name: 'kamailio',
    start: async () => {
      if (!isOnPath('kamailio')) return undefined
      const port = await freeUdpPort()
      const args = [
        '-f',
        path('./peers/kamailio.cfg'),
        '-l',
        `udp:127.0.0.1:${port}`,
        '-m',
        '256',
        '-DD',
        '-E',
        ...extra,
      ]
      const server = startPinned(serverCore, 'kamailio', args, { PATH: `${process.env.PATH ?? ''}:/usr/sbin` })
      await server.waitFor(/Listening on/, 10_000)
      // It says so before its workers read.
      await new Promise((resolve) => setTimeout(resolve, 1000))
      return loaded('kamailio', does, port, server)
    },
  }
}

function loaded(name: string, does: string, port: number, server: Pinned, cleanUp?: () => void): LoadedServer {
  return {
    name,
    does,
    port,
    pid: server.pid,
    output: server.output,
    stop: async () => {
      await server.stop()
      cleanUp?.()
    },
  }
}

/** A UDP port that is free at this moment. */
export function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
}
