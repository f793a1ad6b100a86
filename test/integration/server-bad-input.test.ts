import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Call } from '@carillon/sip-transaction'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { audioOf, Harness, sdpText } from './server-harness'

let harness: Harness
beforeEach(async () => {
  harness = await Harness.start()
})
afterEach(() => harness.close())

/** A phone can register, so the server lives and answers. */
async function expectAlive(): Promise<void> {
  const phone = await harness.phone('1003')
  expect(await phone.register()).toBe(200)
}

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const INVITE = [
  'INVITE sip:1002@127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKfuzz;rport',
  'Max-Forwards: 70',
  'From: <sip:1001@127.0.0.1>;tag=1',
  'To: <sip:1002@127.0.0.1>',
  'Call-ID: fuzz',
  'CSeq: 1 INVITE',
  'Contact: <sip:1001@127.0.0.1>',
  'Content-Length: 0',
  '',
  '',
].join('\r\n')

async function exchange(datagrams: readonly (string | Uint8Array)[], port: number, waitMs = 300): Promise<string[]> {
  const socket = createSocket('udp4')
  const answers: string[] = []
  socket.on('message', (message) => answers.push(message.toString('latin1').split('\r\n', 1)[0] ?? ''))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  for (const [index, datagram] of datagrams.entries()) {
    await new Promise<void>((resolve, reject) =>
      socket.send(datagram, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    )
    if (index % 50 === 49) await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setTimeout(resolve, waitMs))
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return answers
}

async function openSockets(count: number, port: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let batch = 0; batch < count; batch += 100) {
    const part = Array.from({ length: Math.min(100, count - batch) }, () => connect(port, '127.0.0.1'))
    for (const socket of part) socket.on('error', () => {})
    await Promise.all(
      part.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {})),
    )
    sockets.push(...part)
  }
  return sockets
}

describe('bad input', () => {
  it('survives random bytes, cut, mutated and oversized datagrams', async () => {
    const next = random(7)
    const noise = Array.from({ length: 1_000 }, () =>
      Uint8Array.from({ length: 1 + next() * 1_400 }, () => next() * 256),
    )
    const cut = Array.from({ length: INVITE.length }, (_, length) => INVITE.slice(0, length))
    const mutated = Array.from({ length: 1_000 }, () => {
      const bytes = Buffer.from(INVITE, 'latin1')
      for (let i = 0; i < 3; i++) bytes[Math.floor(next() * bytes.length)] = next() * 256
      return bytes
    })
    const huge = [`${INVITE.slice(0, -4)}X: ${'y'.repeat(60_000)}\r\n\r\n`, 'A'.repeat(65_000), '\r\n\r\n', '\0', ' ']
    const { port } = harness.listener()
    await exchange([...noise, ...cut.filter((text) => text !== ''), ...mutated, ...huge], port)
    await expectAlive()
    const { counters } = harness.server.stats().stack
    expect(counters.dropped.garbage + counters.dropped['malformed-request']).toBeGreaterThan(1_000)
    expect(counters.handlerErrors).toBe(0)
    expect(harness.lines.filter((line) => line.level === 'error')).toEqual([])
  })

  it('answers what can be answered: 400 for a body shorter than its Content-Length, 505 for another version', async () => {
    const { port } = harness.listener()
    const short = INVITE.replace('Content-Length: 0', 'Content-Length: 500').replaceAll('fuzz', 'short')
    expect(await exchange([short], port)).toContain('SIP/2.0 400 Bad Request')
    const version = INVITE.replace('SIP/2.0\r\n', 'SIP/3.0\r\n').replaceAll('fuzz', 'version')
    expect((await exchange([version], port)).some((line) => line.startsWith('SIP/2.0 505'))).toBe(true)
  })

  it('answers a repeated request with the same answer and makes one transaction of it', async () => {
    const { port } = harness.listener()
    const answers = await exchange(new Array(200).fill(INVITE) as string[], port)
    expect(new Set(answers)).toEqual(new Set(['SIP/2.0 407 Proxy Authentication Required']))
    expect(harness.server.stats().stack.transactions).toBeLessThan(5)
  })

  it('waits for no slow peer: one byte a time, or a body that never comes', async () => {
    const { port } = harness.listener('tcp')
    const [slow, half] = (await openSockets(2, port)) as [Socket, Socket]
    half.write(INVITE.replace('Content-Length: 0', 'Content-Length: 500').replace('/UDP', '/TCP'))
    for (const byte of INVITE.slice(0, 20)) {
      slow.write(byte)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await expectAlive()
    const phone = await harness.phone('1001', { transport: 'tcp' })
    expect(await phone.register()).toBe(200)
    half.destroy()
    slow.destroy()
    await expect.poll(() => harness.server.stats().stack.connections).toBeLessThanOrEqual(1)
  })

  it('closes a stream that is not SIP', async () => {
    const [socket] = (await openSockets(1, harness.listener('tcp').port)) as [Socket]
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${'A'.repeat(100_000)}`)
    socket.resume()
    await new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await expectAlive()
  })

  it('holds a thousand half-open connections without harm, and gives them back', async () => {
    const { port } = harness.listener('tcp')
    const sockets = await openSockets(1_000, port)
    for (const socket of sockets.slice(0, 300)) if (!socket.destroyed) socket.write('INVITE sip:')
    await expectAlive()
    expect(harness.server.stats().stack.connections).toBeLessThanOrEqual(1_000)
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => harness.server.stats().stack.connections, { timeout: 5_000 }).toBe(0)
  })

  it("lets no stranger into a call's media", async () => {
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    const answered = new Promise<Call>((resolve) => callee.answerCalls(0, resolve))
    const call = await caller.call('1002')
    const answer = await answered
    await Promise.all([
      caller.voice.play(440, sdpText(call.remoteSdp), 10),
      callee.voice.play(880, sdpText(answer.remoteSdp), 10),
    ])
    await expect.poll(() => callee.voice.report().received).toBe(10)
    const rtp = Buffer.alloc(172, 0x55)
    rtp[0] = 0x80
    rtp[1] = 0
    const sprayed = Array.from({ length: 500 }, (_, index) => {
      const packet = Buffer.from(rtp)
      packet.writeUInt16BE(1_000 + index, 2)
      return packet
    })
    await exchange(sprayed, audioOf(call.remoteSdp).port, 50)
    expect(callee.voice.report().received).toBe(10)
    await Promise.all([
      caller.voice.play(440, sdpText(call.remoteSdp), 10),
      callee.voice.play(880, sdpText(answer.remoteSdp), 10),
    ])
    await call.bye()
    const record = await harness.logged('call.ended')
    expect(record.packetsFromSource).toBe(20)
  })

  it('refuses a forged BYE and a forged CANCEL', async () => {
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    const answered = new Promise<Call>((resolve) => callee.answerCalls(0, resolve))
    const call = await caller.call('1002')
    await answered
    const { port } = harness.listener()
    const forged = (method: string) =>
      INVITE.replaceAll('INVITE', method)
        .replace('Call-ID: fuzz', `Call-ID: ${call.callId}`)
        .replace('To: <sip:1002@127.0.0.1>', 'To: <sip:1002@127.0.0.1>;tag=guessed')
        .replace('branch=z9hG4bKfuzz', `branch=z9hG4bK${method}`)
    const answers = await exchange([forged('BYE'), forged('CANCEL')], port)
    expect(answers.every((line) => line.startsWith('SIP/2.0 481'))).toBe(true)
    expect(answers).toHaveLength(2)
    expect(call.state).toBe('active')
    await call.bye()
  })
})
