/** The examples that relay media, started as programs: real phones, real packets, both ways. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cryptoOf, generateMaterial, materialsOf, SrtpReceiver, SrtpSender, srtpOverheadMax } from '@carillon/rtp-relay'
import { type CryptoAttribute, cryptoCodec } from '@carillon/sip-parser/sdp'
import { type Call, SipStack } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { audioSdp, rtpPacket, targetOf } from '../../packages/rtp-relay/src/testing/packets'
import { UdpParty } from '../../packages/rtp-relay/src/testing/udp-party'
import { type Program, serve, stopPrograms } from '../support/example-program'

const open: { close(): Promise<unknown> }[] = []
const media = ['--media-ports', '39000-39499']

/** A phone with a socket for its media. */
interface Phone {
  readonly stack: SipStack
  readonly voice: UdpParty
  readonly port: number
}

async function phone(): Promise<Phone> {
  const stack = await SipStack.create({ listen: ['udp://127.0.0.1:0'] })
  const voice = await UdpParty.open('127.0.0.1')
  open.push({ close: () => stack.close({ graceMs: 0 }) }, voice)
  return { stack, voice, port: stack.listeners[0]!.port }
}

/** Starts a bridging example, and a call through it. */
async function called(...args: string[]) {
  const [alice, bob] = [await phone(), await phone()]
  const { program, ports } = await serve(
    ...args,
    ...['--listen', 'udp://127.0.0.1:0', '--next-hop', `sip:127.0.0.1:${bob.port}`],
    ...media,
  )
  const offered = new Promise<Uint8Array>((resolve) => {
    bob.stack.method('INVITE', async (request) => {
      resolve(request.body)
      await request.accept({ sdp: answerTo(request.body, bob.voice.port) })
    })
  })
  const call = await dial(alice, ports[0]!)
  const forBob = await offered
  return {
    program,
    alice,
    bob,
    call,
    offered: forBob,
    toAlice: targetOf(call.remoteSdp ?? ''),
    toBob: targetOf(forBob),
  }
}

const bobsCrypto = cryptoOf(generateMaterial('AES_CM_128_HMAC_SHA1_80', randomBytes), 1)

/** Plain for plain, SRTP with keys of its own for SRTP. */
function answerTo(offer: Uint8Array, port: number): string {
  if (!Buffer.from(offer).toString().includes('RTP/SAVP')) return audioSdp('127.0.0.1', port)
  const line = `a=crypto:${cryptoCodec.encode(bobsCrypto).value}`
  return audioSdp('127.0.0.1', port, line).replace('RTP/AVP', 'RTP/SAVP')
}

function cryptoIn(sdp: Uint8Array, suite: string): CryptoAttribute {
  const lines = [
    ...Buffer.from(sdp)
      .toString()
      .matchAll(/^a=crypto:(.*)\r$/gm),
  ].map(([, value]) => value ?? '')
  const found = lines.map((value) => cryptoCodec.decode(value)).find((one) => one.ok && one.value.suite === suite)
  if (!found?.ok) throw new Error(`no ${suite} in the offer`)
  return found.value
}

function dial(who: Phone, port: number): Promise<Call> {
  return who.stack.invite(`sip:bob@127.0.0.1:${port}`, { sdp: audioSdp('127.0.0.1', who.voice.port) })
}

async function talk(from: UdpParty, to: { readonly address: string; readonly port: number }, count: number) {
  for (let sequence = 0; sequence < count; sequence++) {
    await from.send(rtpPacket({ sequence, ssrc: from.port }), to.address, to.port)
  }
}

async function hangUp(call: Call, program: Program): Promise<void> {
  await call.bye()
  await program.prints(/packets/)
  expect(await program.stop()).toBe(0)
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
  await stopPrograms()
})

describe.each(['0', '2'])('two-party-relay with %s workers', (workers) => {
  it('has both phones send to it, and says what it heard', async () => {
    const { program, alice, bob, call, toAlice, toBob } = await called('two-party-relay', '--workers', workers)
    for (const { port } of [toAlice, toBob]) expect(port >= 39_000 && port < 39_500).toBe(true)
    await talk(alice.voice, toAlice, 20)
    await talk(bob.voice, toBob, 10)
    await Promise.all([bob.voice.until(20), alice.voice.until(10)])
    await hangUp(call, program)
    expect(program.output).toMatch(/audio: a 20 packets, 0 lost; b 10 packets, 0 lost/)
  })
})

describe('srtp-gateway', () => {
  it('encrypts towards the next hop what the caller says in clear, and opens what comes back', async () => {
    const { program, alice, bob, call, toAlice, toBob, offered } = await called('srtp-gateway', '--towards', 'srtp')
    const [theirs, ours] = [cryptoIn(offered, 'AES_CM_128_HMAC_SHA1_80'), bobsCrypto]
    expect(Buffer.from(offered).toString()).toMatch(/^m=audio \d+ RTP\/SAVP 0 8\r$/m)
    const receiver = new SrtpReceiver(materialsOf(theirs)!)
    const sender = new SrtpSender(materialsOf(ours)![0]!)
    await talk(alice.voice, toAlice, 10)
    await bob.voice.until(10)
    for (const [sequence, packet] of bob.voice.received.entries()) {
      expect(packet.length).toBe(172 + 10)
      const length = receiver.unprotectRtp(packet, packet.length)
      expect(packet.subarray(0, length)).toEqual(rtpPacket({ sequence, ssrc: alice.voice.port }))
    }
    const out = Buffer.alloc(172 + srtpOverheadMax)
    for (let sequence = 0; sequence < 10; sequence++) {
      const packet = rtpPacket({ sequence, ssrc: bob.voice.port })
      const length = sender.protectRtp(packet, packet.length, out)
      await bob.voice.send(Uint8Array.from(out.subarray(0, length)), toBob.address, toBob.port)
      await bob.voice.send(packet, toBob.address, toBob.port)
    }
    await alice.voice.until(10)
    expect(alice.voice.received).toEqual(
      Array.from({ length: 10 }, (_, sequence) => rtpPacket({ sequence, ssrc: bob.voice.port })),
    )
    await hangUp(call, program)
    expect(program.output).toMatch(/audio: a 10 packets, b 10, 10 not authentic/)
  })
})

describe('rtp-echo', () => {
  it('lets the caller hear himself, and refuses an offer that has nothing for it', async () => {
    const alice = await phone()
    const { program, ports } = await serve('rtp-echo', '--listen', 'udp://127.0.0.1:0', ...media)
    const call = await dial(alice, ports[0]!)
    await talk(alice.voice, targetOf(call.remoteSdp ?? ''), 15)
    await alice.voice.until(15)
    expect(alice.voice.received.map((packet) => packet.readUInt16BE(2))).toEqual(
      Array.from({ length: 15 }, (_, at) => at),
    )
    const sdp = audioSdp('127.0.0.1', 4_000).replace('RTP/AVP 0 8', 'RTP/AVP 18')
    await expect(alice.stack.invite(`sip:bob@127.0.0.1:${ports[0]}`, { sdp })).rejects.toMatchObject({ status: 488 })
    await call.bye()
    await program.prints(/15 packets heard, 0 lost/)
    expect(await program.stop()).toBe(0)
  })
})

describe('packet-tap', () => {
  it('writes what both sides say', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carillon-tap-'))
    try {
      const { program, alice, bob, call, toAlice, toBob } = await called('packet-tap', '--out', folder)
      await talk(alice.voice, toAlice, 12)
      await bob.voice.until(12)
      await talk(bob.voice, toBob, 8)
      await alice.voice.until(8)
      await hangUp(call, program)
      expect(program.output).toMatch(/call-1\.rtpdump: 20 packets, 0 left out/)
      const file = readFileSync(join(folder, 'call-1.rtpdump'))
      const head = '#!rtpplay1.0 0.0.0.0/0\n'
      expect(file.subarray(0, head.length).toString('latin1')).toBe(head)
      const speakers: number[] = []
      for (let at = head.length + 16; at < file.length; at += file.readUInt16BE(at)) {
        expect(file.readUInt16BE(at + 2)).toBe(172)
        speakers.push(file.readUInt32BE(at + 16))
      }
      const said = [...Array(12).fill(alice.voice.port), ...Array(8).fill(bob.voice.port)]
      expect(speakers).toEqual(said)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

it('say in one line what is wrong with their media', async () => {
  const wrong = serve('rtp-echo', '--listen', 'udp://127.0.0.1:0', '--media-address', '192.0.2.1')
  await expect(wrong).rejects.toThrow(/cannot be bound on this machine/)
  const none = serve('rtp-echo', '--listen', 'udp://127.0.0.1:0', '--media-ports', '39000')
  await expect(none).rejects.toThrow(/--media-ports is no number/)
})
