/**
 * The ports made of what Node has built in: clocks and entropy. Defaults of a SipStack; a test hands in its own.
 */
import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { Clock, Logger, Random, ScheduledWake } from '../../ports'

/** Node cannot sleep longer at once; a wake-up that comes early is asked for again by its owner. */
const sleepMaxMs = 2 ** 31 - 1

/** The real clocks. */
export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(atMs: number, wake: () => void): ScheduledWake {
    let timer: NodeJS.Timeout | undefined
    const sleep = () => {
      const restMs = Math.ceil(atMs - performance.now())
      timer = setTimeout(restMs > sleepMaxMs ? sleep : wakeOnce, Math.min(Math.max(restMs, 0), sleepMaxMs))
    }
    const wakeOnce = () => {
      // A Node timer may fire a fraction of a millisecond early.
      if (performance.now() < atMs) sleep()
      else wake()
    }
    sleep()
    return { cancel: () => clearTimeout(timer) }
  },
}

const tokenAlphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.'
const poolBytes = 4096

/** Entropy from the operating system, drawn in blocks, for a system call per token would cost more than the rest. */
export function createNodeRandom(): Random {
  let pool = randomBytes(poolBytes)
  let used = 0
  const take = (length: number): Uint8Array => {
    if (length > poolBytes) return new Uint8Array(randomBytes(length))
    if (used + length > poolBytes) {
      pool = randomBytes(poolBytes)
      used = 0
    }
    const bytes = pool.subarray(used, used + length)
    used += length
    return bytes
  }
  return {
    token(bits) {
      let text = ''
      for (const byte of take(Math.ceil(bits / 6))) text += tokenAlphabet[byte & 63]
      return text
    },
    fraction() {
      const bytes = take(4)
      return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) / 2 ** 32 + 0.5
    },
    bytes: (length) => new Uint8Array(take(length)),
  }
}

/** Logs nothing: a library has no business on its user's console. */
export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** An address of this machine for peers of that family, for a listener bound to all addresses and not told which. */
export function ownAddressFor(remote: string): string {
  const family = remote.includes(':') ? 'IPv6' : 'IPv4'
  const loopback = family === 'IPv6' ? '::1' : '127.0.0.1'
  if (remote === '::1' || remote.startsWith('127.')) return loopback
  let fallback: string | undefined
  for (const entries of Object.values(networkInterfaces())) {
    for (const entry of entries ?? []) {
      if (entry.family !== family || entry.internal || entry.scopeid) continue
      if (family === 'IPv4' && isSameNetwork(entry.address, entry.netmask, remote)) return entry.address
      fallback ??= entry.address
    }
  }
  return fallback ?? loopback
}

function isSameNetwork(address: string, netmask: string, remote: string): boolean {
  const [own, mask, other] = [toNumber(address), toNumber(netmask), toNumber(remote)]
  return (own & mask) === (other & mask)
}

function toNumber(address: string): number {
  return address.split('.').reduce((value, part) => (value << 8) | (Number(part) & 255), 0)
}
