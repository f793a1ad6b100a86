/** A phone of the server for tests of SRTP: its signalling, a socket for its media, and keys where it encrypts. */
import type { SrtpSuiteName } from '@carillon/rtp-relay'
import type { Call } from '@carillon/sip-transaction'
import { expect, vi } from 'vitest'
import { audioSdp, rtpPacket, targetOf } from '../../packages/rtp-relay/src/testing/packets'
import { cryptosOf, SecuredPhone } from '../../packages/rtp-relay/src/testing/secured-phone'
import { UdpParty } from '../../packages/rtp-relay/src/testing/udp-party'
import type { Agent } from '../../packages/server/src/demo/agent'
import type { Harness } from './server-harness'

/** The suite of every phone here. */
export const SUITE = 'AES_CM_128_HMAC_SHA1_80' satisfies SrtpSuiteName

/** What a phone does about encryption: none, its offers in SRTP, its offers in plain RTP with keys, or what it is offered. */
export type Habit = 'plain' | 'secured' | 'best-effort' | 'able'

/** A registered phone that keeps what it is offered. */
export class SrtpPhone {
  readonly offers: string[] = []
  readonly #habit: Habit
  readonly #keys = new SecuredPhone()
  #crypto = ''
  #isSecured = false
  #target = 0
  #call: Call | undefined

  private constructor(
    readonly agent: Agent,
    readonly voice: UdpParty,
    habit: Habit,
  ) {
    this.#habit = habit
  }

  static async open(harness: Harness, extension: string, habit: Habit): Promise<SrtpPhone> {
    return new SrtpPhone(await harness.phone(extension), await UdpParty.open('127.0.0.1'), habit)
  }

  /** Its side of the call. */
  get call(): Call {
    if (this.#call === undefined) throw new Error('there is no call')
    return this.#call
  }

  /** Where it was told to send. */
  get target(): number {
    return this.#target
  }

  /** Calls; resolves with what was answered. */
  async dial(extension: string): Promise<string> {
    const { options, stack } = signallingOf(this.agent)
    this.#call = await stack.invite(this.agent.address(extension), { ...options, sdp: this.offer('sendrecv') })
    return this.#answered(this.#call.remoteSdp)
  }

  /** Calls without an offer, and answers the one that comes. */
  async dialLate(extension: string): Promise<void> {
    const { options, stack } = signallingOf(this.agent)
    this.#call = await stack.invite(this.agent.address(extension), { ...options, answer: (sdp) => this.answer(sdp) })
  }

  /** Answers every call from now on, and every re-INVITE within it; makes the offer where the caller makes none. */
  answerCalls(): void {
    this.agent.stack.method('INVITE', async (request) => {
      const isLate = request.body.length === 0
      const sdp = isLate ? this.offer('sendrecv') : this.answer(request.body)
      const call = await request.accept({ sdp })
      this.follow(call)
      if (!isLate) return
      // The answer comes with the ACK.
      await vi.waitFor(() => expect(call.remoteSdp).toBeDefined())
      this.#answered(call.remoteSdp)
    })
  }

  /** Answers what the other side asks for within a call. */
  follow(call: Call): void {
    this.#call = call
    call.onRequest((request) => {
      if (request.method !== 'INVITE') return request.reply(200)
      request.reply(200, { body: this.answer(request.body), contentType: 'application/sdp' })
    })
  }

  /** Offers anew in its call, with the keys it has; resolves with what was answered. */
  async reinvite(direction: string): Promise<string> {
    const { status, body } = await this.call.reinvite({ sdp: this.#sdp(direction) })
    expect(status).toBe(200)
    return Buffer.from(body).toString()
  }

  /** An offer with new keys. */
  offer(direction: string): string {
    if (this.#habit === 'secured' || this.#habit === 'best-effort') {
      this.#crypto = this.#keys.offer(SUITE).join('\r\n')
      this.#isSecured = this.#habit === 'secured'
    }
    return this.#sdp(direction)
  }

  /** An answer; the same keys as long as those of the offer are the same. */
  answer(offer: Uint8Array): string {
    const text = Buffer.from(offer).toString()
    this.#target = targetOf(offer).port
    this.offers.push(text)
    const isWanted = this.#habit !== 'plain' && cryptosOf(offer).length > 0
    if (isWanted && this.#crypto === '') this.#crypto = this.#keys.answer(offer, SUITE)
    this.#isSecured = / RTP\/SAVP /.test(text)
    const direction = /^a=(sendonly|recvonly|inactive)/m.exec(text)?.[1] ?? 'sendrecv'
    return this.#sdp({ sendonly: 'recvonly', recvonly: 'sendonly' }[direction] ?? direction)
  }

  /** Sends a packet of audio, encrypted where it has keys. */
  async speak(sequence: number, ssrc: number): Promise<Buffer> {
    const packet = rtpPacket({ sequence, ssrc })
    packet.fill(sequence & 0xff, 12)
    await this.voice.send(this.#crypto === '' ? packet : this.#keys.protect(packet), '127.0.0.1', this.#target)
    return packet
  }

  /** What it has heard, in clear; empty packets for what its keys do not open. */
  heard(from: number): Buffer[] {
    const packets = this.voice.received.slice(from)
    return this.#crypto === '' ? packets : packets.map((packet) => this.#keys.open(packet) ?? Buffer.alloc(0))
  }

  #answered(sdp: Uint8Array | undefined): string {
    const answer = Buffer.from(sdp ?? [])
    this.#target = targetOf(answer).port
    if (this.#habit === 'secured' || cryptosOf(answer).length > 0) this.#keys.answered(answer)
    else this.#crypto = ''
    return answer.toString()
  }

  #sdp(direction: string): string {
    const lines = [...(this.#crypto === '' ? [] : [this.#crypto]), `a=${direction}`]
    const sdp = audioSdp('127.0.0.1', this.voice.port, ...lines)
    return this.#isSecured ? sdp.replace('RTP/AVP', 'RTP/SAVP') : sdp
  }
}

/** So many packets each way, one after the other, each compared with what was sent. */
export async function converse(a: SrtpPhone, b: SrtpPhone, first: number, count: number): Promise<void> {
  await vi.waitFor(() => expect([a.target, b.target]).not.toContain(0))
  const [beforeA, beforeB] = [a.voice.received.length, b.voice.received.length]
  const sent: { a: Buffer[]; b: Buffer[] } = { a: [], b: [] }
  for (let index = 0; index < count; index++) {
    sent.a.push(await a.speak(first + index, 0xa))
    sent.b.push(await b.speak(first + index, 0xb))
    await Promise.all([a.voice.until(beforeA + index + 1), b.voice.until(beforeB + index + 1)])
  }
  const heard = { a: a.heard(beforeA), b: b.heard(beforeB) }
  expect(heard.b).toEqual(sent.a)
  expect(heard.a).toEqual(sent.b)
}

function signallingOf(agent: Agent) {
  return {
    stack: agent.stack,
    options: { from: `<${agent.address()}>`, credentials: agent.credentials },
  }
}
