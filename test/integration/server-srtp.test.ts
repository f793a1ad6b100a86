/** Phones that encrypt and phones that do not, through the reference server (RFC 4568, RFC 8643). */
import type { SrtpPolicy } from '@carillon/server'
import { afterEach, describe, expect, it } from 'vitest'
import { Harness, USERS } from './server-harness'
import { converse, type Habit, SrtpPhone } from './srtp-phone'

let harness: Harness
const open: SrtpPhone[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ voice }) => voice.close()))
  expect(harness.text).not.toContain('inline:')
  await harness.close()
})

interface Sides {
  readonly caller: Habit
  readonly callee: Habit
  /** Of the users, caller first; those of the configuration where undefined. */
  readonly srtp?: readonly [SrtpPolicy | undefined, SrtpPolicy | undefined]
  readonly media?: Readonly<Record<string, unknown>>
}

/** A server and two phones of it. */
async function phones({
  caller,
  callee,
  srtp = [undefined, undefined],
  media,
}: Sides): Promise<[SrtpPhone, SrtpPhone]> {
  const users = USERS.map((user, index) => ({ ...user, ...(srtp[index] === undefined ? {} : { srtp: srtp[index] }) }))
  const values = { media: { address: '127.0.0.1', ports: '31000-31999', ...media } }
  harness = await Harness.start(values, users)
  const a = await SrtpPhone.open(harness, '1001', caller)
  const b = await SrtpPhone.open(harness, '1002', callee)
  open.push(a, b)
  b.answerCalls()
  return [a, b]
}

const SECURED = /^m=audio \d+ RTP\/SAVP .*[\s\S]*^a=crypto:/m
const PLAIN = /^m=audio \d+ RTP\/AVP /m

describe('a phone with SRTP and one without', () => {
  it('RFC 4568: the caller encrypts, the user called is `off`', async () => {
    const [a, b] = await phones({ caller: 'secured', callee: 'plain', srtp: [undefined, 'off'] })
    expect(await a.dial('1002')).toMatch(SECURED)
    expect(b.offers[0]).toMatch(PLAIN)
    expect(b.offers[0]).not.toContain('crypto')
    await converse(a, b, 100, 50)
    await a.call.bye()
    const record = await harness.logged('call.ended')
    expect(record).toMatchObject({ packetsFromSource: 50, packetsFromDestination: 50, lossPercent: 0 })
  })

  it('RFC 4568: the caller is plain, the user called is `on`', async () => {
    const [a, b] = await phones({ caller: 'plain', callee: 'able', srtp: [undefined, 'on'] })
    const answer = await a.dial('1002')
    expect(answer).toMatch(PLAIN)
    expect(answer).not.toContain('crypto')
    expect(b.offers[0]).toMatch(SECURED)
    await converse(a, b, 100, 50)
    await b.call.bye()
    const record = await harness.logged('call.ended')
    expect(record).toMatchObject({ packetsFromSource: 50, packetsFromDestination: 50, lossPercent: 0 })
  })

  it('`media.srtp` is for users that say nothing themselves', async () => {
    const [a, b] = await phones({ caller: 'plain', callee: 'able', media: { srtp: 'on' } })
    await a.dial('1002')
    expect(b.offers[0]).toMatch(SECURED)
    await converse(a, b, 100, 5)
    await a.call.bye()
  })

  it('and what the user says goes before it', async () => {
    const [a, b] = await phones({ caller: 'secured', callee: 'plain', srtp: [undefined, 'off'], media: { srtp: 'on' } })
    await a.dial('1002')
    expect(b.offers[0]).toMatch(PLAIN)
    await converse(a, b, 100, 5)
    await a.call.bye()
  })

  it.each(['plain', 'able'] as const)('RFC 8643: `best-effort` towards a phone that is %s', async (callee) => {
    const [a, b] = await phones({ caller: 'plain', callee, srtp: [undefined, 'best-effort'] })
    expect(await a.dial('1002')).not.toContain('crypto')
    expect(b.offers[0]).toMatch(PLAIN)
    expect(b.offers[0]).toContain('a=crypto:')
    await converse(a, b, 100, 20)
    await a.call.bye()
  })

  it('RFC 8643: keys that come with a plain offer are answered by the relay where the user called is `off`', async () => {
    const [a, b] = await phones({ caller: 'best-effort', callee: 'able', srtp: [undefined, 'off'] })
    expect(await a.dial('1002')).toMatch(/^m=audio \d+ RTP\/AVP .*[\s\S]*^a=crypto:/m)
    expect(b.offers[0]).not.toContain('crypto')
    await converse(a, b, 100, 20)
    await a.call.bye()
  })

  it('`as-offered`, the default, leaves the keys to the phones', async () => {
    const [a, b] = await phones({ caller: 'secured', callee: 'able' })
    await a.dial('1002')
    expect(b.offers[0]).toMatch(SECURED)
    await converse(a, b, 100, 20)
    await a.call.bye()
  })

  it('a phone that is `on` and answers in plain has no call', async () => {
    const [a, b] = await phones({ caller: 'plain', callee: 'plain', srtp: [undefined, 'on'] })
    b.agent.stack.method('INVITE', (request) => void request.accept({ sdp: b.offer('sendrecv') }))
    await expect(a.dial('1002')).rejects.toMatchObject({ status: 502 })
    expect(await harness.logged('call.ended')).toMatchObject({ disposition: 'FAILED' })
  })

  it('RFC 4568 §5.1.2: a caller with none but keys that nobody can use is answered 488', async () => {
    const [{ agent }] = await phones({ caller: 'plain', callee: 'plain', srtp: [undefined, 'off'] })
    const sdp = agent.voice.sdp().replace('RTP/AVP', 'RTP/SAVP')
    const invited = agent.stack.invite(agent.address('1002'), {
      from: `<${agent.address()}>`,
      credentials: agent.credentials,
      sdp: `${sdp}a=crypto:1 F8_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, 1).toString('base64')}\r\n`,
    })
    await expect(invited).rejects.toMatchObject({ status: 488 })
    await harness.logged('call.ended')
  })

  it('RFC 3261 §13.2.1: a caller that is `on` and makes no offer is offered SRTP', async () => {
    const [a, b] = await phones({ caller: 'able', callee: 'plain', srtp: ['on', 'off'] })
    await a.dialLate('1002')
    expect(a.offers[0]).toMatch(SECURED)
    await converse(a, b, 100, 5)
    await a.call.bye()
  })
})

describe('hold and resume', () => {
  it.each([
    ['secured', 'plain', 'off'],
    ['plain', 'able', 'on'],
  ] as const)(
    'RFC 3711 §3.3.1: a caller that is %s and a callee that is %s, each in turn, after the sequence has wrapped',
    async (caller, callee, srtp) => {
      const [a, b] = await phones({ caller, callee, srtp: ['off', srtp] })
      const answer = await a.dial('1002')
      const [secured, first] = caller === 'secured' ? [a, answer] : [b, b.offers[0] ?? '']
      a.follow(a.call)
      await converse(a, b, 65_500, 80)
      let sequence = 65_580
      for (const [holding, held] of [
        [a, b],
        [b, a],
      ] as const) {
        const before = { holding: holding.target, held: held.target }
        for (const direction of ['sendonly', 'sendrecv']) {
          const said = await holding.reinvite(direction)
          const heard = held.offers.at(-1) ?? ''
          expect(heard).toContain(`a=${direction}`)
          const [ofHolding, ofHeld] = [SECURED.test(said), SECURED.test(heard)]
          expect([ofHolding, ofHeld]).toEqual([holding === secured, held === secured])
          const seen = holding === secured ? said : heard
          expect(inline(seen)).toBe(inline(first))
        }
        expect({ holding: holding.target, held: held.target }).toEqual(before)
        await converse(a, b, sequence, 20)
        sequence += 20
      }
      await a.call.bye()
      const record = await harness.logged('call.ended')
      expect(record).toMatchObject({ packetsFromSource: 120, packetsFromDestination: 120, lossPercent: 0 })
    },
  )
})

function inline(sdp: string): string | undefined {
  return /inline:([A-Za-z0-9+/=]+)/.exec(sdp)?.[1]
}
