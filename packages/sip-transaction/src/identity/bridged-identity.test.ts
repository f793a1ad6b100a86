import { describe, expect, it } from 'vitest'
import { phoneSdp, Scenario } from '../endpoint/fixtures/scenario'
import type { IncomingRequest } from '../endpoint/requests/incoming-request'
import type { SipStack } from '../endpoint/stack'
import { anonymousCall } from './anonymous'
import { AssertedIdentity } from './asserted-identity'
import { historyTargets } from './bridged-history'
import { divert } from './diversions'
import { bridgePolicy } from './header-changes'
import { applyPrivacy } from './privacy-service'
import { TrustDomain } from './trust-domain'

const bobUri = 'sip:bob@10.0.0.3'
const carolUri = 'sip:carol@10.0.0.4'
const serverUri = 'sip:bob@10.0.0.2'
/** Bob's network is trusted; neither Alice nor Carol is. */
const trust = new TrustDomain({ addresses: ['10.0.0.2/31'] })
const base = { toB: { pass: ['*'] }, toA: { pass: ['*'] } }
const forged = ['P-Asserted-Identity', '<sip:president@example.com>'] as const
const asserted = (request: IncomingRequest | undefined) => request?.message.getAll('P-Asserted-Identity')

interface World {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly bob: SipStack
  readonly server: SipStack
  readonly invites: IncomingRequest[]
}

async function world(handle: (request: IncomingRequest) => unknown): Promise<World> {
  const scenario = new Scenario()
  const callMethods = ['MESSAGE']
  const alice = await scenario.stack('alice', { callMethods })
  const server = await scenario.stack('server')
  const bob = await scenario.stack('bob', { callMethods })
  const carol = await scenario.stack('carol', { callMethods })
  const invites: IncomingRequest[] = []
  server.method('INVITE', handle)
  for (const phone of [bob, carol]) phone.method('INVITE', (request) => void invites.push(request))
  return { scenario, alice, bob, server, invites }
}

async function drained(w: World): Promise<void> {
  await w.scenario.pass(200_000)
  expect(w.scenario.gauges()).toEqual(w.scenario.gauges().map(() => 0))
}

describe('a bridge at the edge of a trust domain', () => {
  it('RFC 3325 §5: no identity of a stranger passes, in the INVITE or later, but the one that he has proved', async () => {
    const user = ['sip:alice@example.com']
    const w = await world((request) =>
      request.bridge(bobUri, { headerPolicy: trust.policy(request, bobUri, { user, base }) }),
    )
    const heard: IncomingRequest[] = []
    const calling = w.alice.invite(serverUri, { sdp: phoneSdp('alice'), headers: [forged, ['Subject', 'hi']] })
    await w.scenario.pass(50)
    expect(asserted(w.invites[0])).toEqual(['<sip:alice@example.com>'])
    expect(w.invites[0]?.message.get('Subject')).toBe('hi')
    const answer = ['P-Asserted-Identity', '<sip:bob@example.com>'] as const
    const accepting = w.invites[0]!.accept({ sdp: phoneSdp('bob'), headers: [answer] })
    const seen: string[] = []
    w.alice.on('messageIn', ({ message }) => void seen.push(...(message?.getAll('P-Asserted-Identity') ?? [])))
    const [a, b] = await w.scenario.settle(Promise.all([calling, accepting]))
    b.onRequest((request) => {
      heard.push(request)
      request.reply(200)
    })
    await w.scenario.settle(a.request('MESSAGE', { headers: [forged], body: 'x', contentType: 'text/plain' }))
    expect(asserted(heard[0])).toEqual(['<sip:alice@example.com>'])
    // Alice is a stranger, and does not hear who answered.
    expect(seen).toEqual([])
    await w.scenario.settle(a.bye())
    await drained(w)
  })

  it('RFC 3325 §7: what a member asserts passes to members, and not to strangers', async () => {
    for (const [target, expected] of [
      [bobUri, ['<sip:gateway@example.com>']],
      [carolUri, []],
    ] as const) {
      const all = new TrustDomain({ addresses: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] })
      const w = await world((request) => request.bridge(target, { headerPolicy: all.policy(request, target) }))
      const headers = [['P-Asserted-Identity', '<sip:gateway@example.com>'] as const, ['Privacy', 'id'] as const]
      const calling = w.alice.invite(serverUri, { sdp: phoneSdp('alice'), headers })
      calling.catch(() => {})
      await w.scenario.pass(50)
      expect(asserted(w.invites[0])).toEqual(expected)
      expect(w.invites[0]?.message.privacy).toEqual(['id'])
      w.invites[0]?.reply(486)
      await drained(w)
    }
  })

  it('RFC 3323 §5: a bridge gives user and header privacy: nobody calls, and no host of his is named', async () => {
    const w = await world((request) => {
      const privacy = applyPrivacy(request.message, { as: 'bridge', relaysMedia: true })
      if (!privacy.ok) return request.reply(privacy.status)
      return request.bridge(carolUri, {
        ...privacy.bridge,
        headerPolicy: { toB: bridgePolicy(privacy.changes, base.toB) },
      })
    })
    const levels = ['user', 'header', 'session', 'id'] as const
    const { headers } = anonymousCall({ levels, critical: true })
    const named = [['Subject', 'secret'] as const, ['Reply-To', '<sip:alice@10.0.0.1>'] as const, forged]
    const calling = w.alice.invite(serverUri, {
      sdp: phoneSdp('alice'),
      headers: [...headers, ...named],
      from: 'sip:alice@10.0.0.1',
    })
    calling.catch(() => {})
    await w.scenario.pass(50)
    const { message, from } = w.invites[0]!
    expect(from.toString()).toMatch(/^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/)
    expect(['Subject', 'Reply-To', 'P-Asserted-Identity', 'Privacy'].filter((name) => message.has(name))).toEqual([])
    expect(message.head).not.toContain('10.0.0.1:')
    expect(message.head).not.toContain('alice')
    w.invites[0]?.reply(486)
    await drained(w)
  })

  it('RFC 7044 §9.2, RFC 5806 §4: history and diversions go on to each target', async () => {
    const w = await world((request) => {
      const toB = bridgePolicy(divert(request.message, { from: request.uri, reason: 'no-answer' }), {
        pass: ['Diversion'],
      })
      return request.bridge(historyTargets(request, [bobUri, carolUri]), { headerPolicy: { toB } })
    })
    const headers = [['Diversion', '<sip:old@example.com>;reason=away'] as const]
    w.alice.invite(serverUri, { sdp: phoneSdp('alice'), headers }).catch(() => {})
    await w.scenario.pass(50)
    expect(w.invites.map(({ message }) => message.historyInfo.map(String))).toEqual([
      ['<sip:bob@10.0.0.2>;index=1', '<sip:bob@10.0.0.3>;index=1.1;rc=1'],
      ['<sip:bob@10.0.0.2>;index=1', '<sip:carol@10.0.0.4>;index=1.2;mp=1'],
    ])
    expect(w.invites[0]?.message.getAll('Diversion')).toEqual([
      '<sip:bob@10.0.0.2>;reason=no-answer',
      '<sip:old@example.com>;reason=away',
    ])
    for (const phone of w.invites) phone.reply(486)
    await drained(w)
  })

  it('RFC 3325 §5, RFC 3725: a call that the network makes asserts who it is for to members alone', async () => {
    const w = await world(() => {})
    const identity = AssertedIdentity.read((await offered(w)).message, 'P-Asserted-Identity')
    expect(identity?.uri.toString()).toBe('sip:switchboard@example.com')
    await drained(w)
  })
})

/** The INVITE of the second party of `stack.connect`. */
async function offered(w: World): Promise<IncomingRequest> {
  w.alice.method('INVITE', (request) => void request.accept({ sdp: phoneSdp('alice') }).catch(() => {}))
  const lines = [['P-Asserted-Identity', '<sip:switchboard@example.com>'] as const]
  const abort = new AbortController()
  const target = { uri: bobUri, headers: trust.trusts(bobUri) ? lines : [] }
  const connecting = w.server.connect('sip:alice@10.0.0.1', target, { signal: abort.signal })
  await w.scenario.settle(connecting)
  await w.scenario.pass(100)
  const [invite] = w.invites
  if (invite === undefined) throw new Error('nobody was called')
  expect(w.scenario.ladder.filter((line) => line === 'server>bob INVITE')).toHaveLength(1)
  abort.abort()
  return invite
}
