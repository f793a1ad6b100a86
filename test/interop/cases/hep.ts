/**
 * A capture server of others reads what we export: sngrep listens for HEP version 3, and what it has understood, it writes
 * into a capture file with the addresses and times that our packets named.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HepExporter, SipStack } from '@carillon/sip-transaction'
import type { InteropCase } from '../case.ts'
import { freePort, loopback } from '../support/network.ts'
import { Program } from '../support/program.ts'

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** One frame of a capture file: Ethernet, IPv4, UDP. */
interface Frame {
  readonly atMs: number
  readonly from: string
  readonly to: string
  readonly payload: string
}

/** Reads a capture file of the classic format, written on this machine. */
function readCapture(path: string): Frame[] {
  const bytes = readFileSync(path)
  const frames: Frame[] = []
  for (let at = 24; at + 16 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 8)
    const frame = bytes.subarray(at + 16, at + 16 + length)
    const address = (offset: number) => frame.subarray(offset, offset + 4).join('.')
    frames.push({
      atMs: bytes.readUInt32LE(at) * 1000 + bytes.readUInt32LE(at + 4) / 1000,
      from: `${address(26)}:${frame.readUInt16BE(34)}`,
      to: `${address(30)}:${frame.readUInt16BE(36)}`,
      payload: frame.toString('latin1', 42),
    })
    at += 16 + length
  }
  return frames
}

function check(isSo: boolean, what: string, detail: unknown): void {
  if (!isSo) throw new Error(`${what}: ${JSON.stringify(detail)}`)
}

/** A call between two stacks; the first is exported. Returns what it sent and received, and its address. */
async function exportCall(port: number) {
  const listen = [`udp://${loopback}:0`]
  const alice = await SipStack.create({ listen })
  const bob = await SipStack.create({ listen })
  const exporter = new HepExporter({ host: loopback, port, agentId: 2001 })
  const seen: string[] = []
  try {
    exporter.attach(alice)
    for (const event of ['messageIn', 'messageOut'] as const)
      alice.on(event, ({ bytes }) => seen.push(Buffer.from(bytes).toString('latin1')))
    bob.method('INVITE', async (request) => {
      request.reply(180)
      await request.accept({ sdp })
    })
    const call = await alice.invite(bob.listeners[0]!.uri, { sdp })
    await call.bye()
    const [own, peer] = [alice, bob].map((stack) => `${loopback}:${stack.listeners[0]!.port}`)
    return { seen, own, peer, stats: exporter.stats }
  } finally {
    await exporter.close()
    await Promise.all([alice, bob].map((stack) => stack.close({ graceMs: 0 })))
  }
}

export const hepCases: readonly InteropCase[] = [
  {
    name: 'sngrep decodes the HEP stream of a call: every message, its addresses and its time',
    run: async ({ workDir }) => {
      const port = await freePort()
      const capture = join(workDir, 'hep.pcap')
      const sngrep = new Program({
        name: 'sngrep',
        command: 'sngrep',
        args: ['-N', '-F', '-L', `udp:${loopback}:${port}`, '-O', capture],
        cwd: workDir,
        env: { TERM: 'xterm' },
      })
      try {
        await sngrep.waitFor(/Dialog count: 0/, 10_000)
        const began = Date.now()
        const { seen, own, peer, stats } = await exportCall(port)
        await sngrep.waitFor(/Dialog count: 1/, 10_000)
        await sleep(500)
        sngrep.signal('SIGINT')
        await sngrep.waitForExit(10_000)
        const frames = readCapture(capture)
        check(stats.dropped === 0 && stats.failed === 0, 'the exporter lost packets', stats)
        check(seen.length >= 6, 'the call had fewer messages than a call has', seen.length)
        check(frames.length === seen.length, 'sngrep wrote another number of messages', frames.length)
        for (const [index, { payload, from, to, atMs }] of frames.entries()) {
          check(payload === seen[index], `message ${index} differs`, payload)
          const isOurs = from === own && to === peer
          check(isOurs || (from === peer && to === own), `message ${index} has other addresses`, [from, to])
          check(Math.abs(atMs - began) < 30_000, `message ${index} has another time`, [atMs, began])
        }
        check(frames[0]?.from === own, 'the INVITE did not come from the caller', frames[0]?.from)
      } finally {
        await sngrep.stop()
      }
    },
  },
]
