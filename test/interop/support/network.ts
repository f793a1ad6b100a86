/**
 * Free loopback ports, and what the kernel says about the sockets of a process or a port range (Linux /proc).
 */
import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Program } from './program.ts'

/** The loopback address that everything here runs on. */
export const loopback = '127.0.0.1'

let nextRangeStart = 0

/** A port that is free for UDP and for TCP at this moment. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = await bindTcp(0)
    if (port !== undefined && (await isUdpFree(port))) return port
  }
  throw new Error('no free loopback port found')
}

/** True when nothing is bound to this port, neither for UDP nor for TCP. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await isUdpFree(port)) && (await bindTcp(port)) !== undefined
}

/**
 * Resolves when the process has the port open. Programs that do not tell are looked at from outside: whoever tried the
 * port by binding it could take it from under them.
 */
export async function untilListening(program: Program, port: number): Promise<void> {
  const { pid } = program
  for (let attempt = 0; attempt < 400 && pid !== undefined && !program.hasExited; attempt++) {
    if (socketsOf(pid).some((socket) => socket.endsWith(`:${port}`))) return
    await sleep(25)
  }
  throw new Error(`${program.name} does not listen:\n${program.tail()}`)
}

/**
 * The first port of `count` consecutive ports of which none is bound for UDP and none was given out before. They lie
 * below the range from which the kernel takes ports of its own choice.
 */
export function freePortRange(count: number): number {
  const bound = new Set(boundUdpPorts())
  const random = 2 * Math.floor(Math.random() * 1000)
  for (let first = Math.max(nextRangeStart, 12_000 + random); first + count < 32_000; first += 100) {
    let isFree = true
    for (let port = first; port < first + count && isFree; port++) isFree = !bound.has(port)
    if (!isFree) continue
    nextRangeStart = first + count
    return first
  }
  throw new Error('no free range of loopback ports found')
}

/** How many UDP ports from `first` to `last` are bound by any process. */
export function boundPortsBetween(first: number, last: number): number {
  return boundUdpPorts().filter((port) => port >= first && port <= last).length
}

/** The ports that a process listens on (TCP) or is bound to (UDP). */
export function socketsOf(pid: number): readonly string[] {
  const inodes = new Set<string>()
  for (const name of filesOf(pid)) {
    try {
      const inode = readlinkSync(`/proc/${pid}/fd/${name}`).match(/^socket:\[(\d+)\]$/)?.[1]
      if (inode !== undefined) inodes.add(inode)
    } catch {
      // closed between the two calls
    }
  }
  const found: string[] = []
  if (inodes.size === 0) return found
  for (const kind of ['udp', 'udp6', 'tcp', 'tcp6']) {
    for (const row of table(kind)) if (inodes.has(row.inode)) found.push(`${kind}:${row.port}`)
  }
  return found
}

/** Nothing for a process that has ended. */
function filesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
  } catch {
    return []
  }
}

function boundUdpPorts(): number[] {
  return [...table('udp'), ...table('udp6')].map((row) => row.port)
}

function table(kind: string): { port: number; inode: string }[] {
  let text = ''
  try {
    text = readFileSync(`/proc/net/${kind}`, 'latin1')
  } catch {
    return []
  }
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.length > 9)
    .map((columns) => ({ port: Number.parseInt(columns[1]?.split(':')[1] ?? '0', 16), inode: columns[9] ?? '' }))
}

function bindTcp(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, loopback, () => {
      const address = server.address()
      const bound = typeof address === 'object' && address !== null ? address.port : undefined
      server.close(() => resolve(bound))
    })
  })
}

function isUdpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => {
      socket.close()
      resolve(false)
    })
    socket.bind(port, loopback, () => socket.close(() => resolve(true)))
  })
}
