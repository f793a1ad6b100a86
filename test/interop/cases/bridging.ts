/**
 * Bridges and transfers: SIPp asks for transfers with and without NOTIFYs (RFC 3515, RFC 4488), takes the place of a caller
 * (RFC 3891), and makes offers in PRACK (RFC 3262 §5); baresip transfers through the `b2bua` example, blind and attended.
 */
import { fileURLToPath } from 'node:url'
import type { BridgeOptions, Call, IncomingRequest } from '@carillon/sip-transaction'
import type { CaseContext, InteropCase } from '../case.ts'
import { Baresip, type BaresipOptions } from '../support/baresip.ts'
import { type Endpoint, expectThat, ownSdp, sdpOf, withEndpoint } from '../support/endpoint.ts'
import { freePort, loopback } from '../support/network.ts'
import { sippCalls } from '../support/peers.ts'
import { Program } from '../support/program.ts'
import { mayTry, receive, respond, type Step, send, sippSdp } from '../support/scenario.ts'
import { domain, type User } from '../support/server.ts'

type Context = Pick<CaseContext, 'workDir'>

const root = fileURLToPath(new URL('../../..', import.meta.url))
const refer = { header: 'CSeq:', regexp: 'REFER' }
const isNotify = (state: string, status: number) => [
  { header: 'Event:', regexp: 'refer' },
  { header: 'Subscription-State:', regexp: state },
  { regexp: `SIP/2\\.0 ${status}` },
]

interface Hub {
  readonly hub: Endpoint
  /** Calls that the phones behind it have answered, by the name called. */
  readonly calls: Map<string, Call>
  readonly uri: (name: string) => string
}

/** A hub that bridges, and a stack with all the phones behind it; they answer and agree to everything. */
async function withHub(
  options: BridgeOptions,
  answer: (request: IncomingRequest, name: string) => Promise<Call>,
  run: (hub: Hub) => Promise<void>,
): Promise<void> {
  await withEndpoint({}, async (phones) => {
    const calls = new Map<string, Call>()
    const uri = (name: string) => `sip:${name}@${phones.target()}`
    phones.stack.method('INVITE', async (request) => {
      const name = /sip:([^@]+)@/.exec(request.uri.toString())?.[1] ?? ''
      const call = await answer(request, name)
      calls.set(name, call)
    })
    await withEndpoint({}, async (hub) => {
      hub.stack.method('INVITE', async (request) => void (await request.bridge(uri('bob'), options)))
      await run({ hub, calls, uri })
      await hub.untilIdle()
    })
    await phones.untilIdle()
  })
}

async function pickUp(request: IncomingRequest): Promise<Call> {
  request.reply(180)
  let version = 1
  const call = await request.accept({ sdp: ownSdp })
  call.onRequest((inside) => {
    version += 1
    if (inside.method === 'INVITE' || inside.method === 'UPDATE')
      inside.reply(200, { body: sdpOf(version, 'sendrecv') })
    else inside.reply(200)
  })
  return call
}

const callSteps: readonly Step[] = [
  send('INVITE', { cseq: 1, branch: 'invite', place: 'outside', sdp: sippSdp }),
  mayTry,
  receive(180, { isOptional: true }),
  receive(200, { target: true, has: [{ header: 'Allow:', regexp: 'REFER' }] }),
  send('ACK', { cseq: 1, branch: 'ack' }),
]

async function sippRefers({ workDir }: Context, withNotify: boolean): Promise<void> {
  await withHub({ transfers: 'execute' }, pickUp, async ({ hub, calls, uri }) => {
    const silence = withNotify ? [] : ['Refer-Sub: false', 'Supported: norefersub']
    const notify = (state: string, status: number): Step[] => [
      receive('NOTIFY', { has: isNotify(state, status) }),
      respond('200 OK', { isInDialog: true }),
    ]
    const told = [...notify('active', 100), ...notify('active', 180), ...notify('terminated', 200)]
    const taken = { has: [refer, ...(withNotify ? [] : [{ header: 'Refer-Sub:', regexp: 'false' }])] }
    const steps = [
      ...callSteps,
      send('REFER', { cseq: 2, branch: 'refer', headers: [`Refer-To: <${uri('carol')}>`, ...silence] }),
      receive(202, taken),
      ...(withNotify ? told : []),
      // The bridge lets go of whoever asked as soon as the other two talk.
      receive('BYE', { has: [{ header: 'Reason:', regexp: 'Replaced' }] }),
      respond('200 OK', { isInDialog: true }),
    ]
    await sippCalls(hub, workDir, withNotify ? 'refer' : 'refer-silent', steps)
    const [bob, carol] = [calls.get('bob'), calls.get('carol')]
    expectThat(bob?.state === 'active' && carol?.state === 'active', 'the two others do not talk')
    if (!withNotify) hub.expectCount(0, 'out', /^NOTIFY /)
    await carol?.bye()
    await bob?.ended
  })
}

async function sippReplaces({ workDir }: Context): Promise<void> {
  await withHub({ transfers: 'execute' }, pickUp, async ({ hub, calls }) => {
    await withEndpoint({}, async (phone) => {
      const alice = await phone.stack.invite(`sip:bob@${hub.target()}`, { sdp: ownSdp })
      const { callId, localTag, remoteTag } = alice
      const replaces = `Replaces: ${callId};to-tag=${remoteTag};from-tag=${localTag}`
      const wrong = `Replaces: ${callId};to-tag=nobody;from-tag=${localTag}`
      const invite = (branch: string, cseq: number, header: string) =>
        send('INVITE', { cseq, branch, place: 'outside', headers: ['Require: replaces', header], sdp: sippSdp })
      const steps = [
        invite('wrong', 1, wrong),
        mayTry,
        receive(481),
        send('ACK', { cseq: 1, branch: 'wrong', place: 'failed' }),
        invite('right', 2, replaces),
        mayTry,
        receive(200, { target: true }),
        send('ACK', { cseq: 2, branch: 'ack' }),
        receive('BYE'),
        respond('200 OK', { isInDialog: true }),
      ]
      const bobEnds = alice.ended.then(async ({ reason }) => {
        expectThat(reason?.includes('Replaced') === true, `the first caller was told ${reason}`)
        await hub.until('in', /CSeq: 2 ACK/i)
        await calls.get('bob')?.bye()
      })
      await Promise.all([sippCalls(hub, workDir, 'replaces', steps), bobEnds])
    })
  })
}

/** SIPp acknowledges reliably and changes its mind in the PRACK; then the callee changes the session before it answers. */
async function sippPracksThrough({ workDir }: Context): Promise<void> {
  const early = async (request: IncomingRequest): Promise<Call> => {
    request.reply(183, { reliable: true, body: ownSdp })
    const dialog = request.early
    if (dialog === undefined) throw new Error('there is no early dialog')
    const changed = new Promise<void>((resolve) => {
      dialog.onRequest((inside) => {
        inside.reply(200, { body: sdpOf(2, 'recvonly') })
        resolve()
      })
    })
    await changed
    const { status } = await dialog.update({ sdp: sdpOf(3, 'sendrecv') })
    expectThat(status === 200, `the UPDATE of the callee was answered ${status}`)
    return request.accept()
  }
  await withHub({}, early, async ({ hub }) => {
    const rseq = { keep: { rseq: { header: 'RSeq:', regexp: '[0-9]+' } } }
    const steps = [
      send('INVITE', {
        cseq: 1,
        branch: 'invite',
        place: 'outside',
        headers: ['Require: 100rel', 'Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE'],
        sdp: sippSdp,
      }),
      mayTry,
      receive(183, { target: true, ...rseq }),
      send('PRACK', {
        cseq: 2,
        branch: 'prack',
        headers: ['RAck: [$rseq] 1 INVITE'],
        sdp: `${sippSdp.replace('20190 1', '20190 2')}\na=sendonly`,
      }),
      receive(200, { has: [{ header: 'CSeq:', regexp: 'PRACK' }, { regexp: 'a=recvonly' }] }),
      receive('UPDATE', { has: [{ regexp: 'a=sendrecv' }] }),
      respond('200 OK', { isInDialog: true, sdp: sippSdp.replace('20190 1', '20190 3') }),
      receive(200, { target: true, has: [{ header: 'CSeq:', regexp: 'INVITE' }] }),
      send('ACK', { cseq: 1, branch: 'ack' }),
      send('BYE', { cseq: 3, branch: 'bye' }),
      receive(200),
    ]
    await sippCalls(hub, workDir, 'prack-through', steps)
    hub.expectCount(1, 'out', /^PRACK /)
    expectThat(hub.passed('out', /^UPDATE /).length >= 2, 'the offers did not pass as UPDATE')
  })
}

/** Three phones that register with the example, and what it prints. */
async function withPhones(
  { workDir, server }: CaseContext,
  run: (phones: readonly Baresip[], hub: Program, legs: () => Promise<string[]>) => Promise<void>,
): Promise<void> {
  const port = await freePort()
  const hub = new Program({
    name: 'b2bua example',
    command: process.execPath,
    args: ['scripts/lib/example.mjs', 'b2bua', '--listen', `udp://${loopback}:${port}`],
    cwd: root,
  })
  const phones: Baresip[] = []
  try {
    await hub.waitFor(/^ready$/m, 20_000)
    const users: User[] = [server.takeUser(), server.takeUser(), server.takeUser()]
    for (const [index, user] of users.entries())
      phones.push(await startPhone({ workDir, user, serverPort: port, transport: 'udp', toneHz: 400 + 100 * index }))
    const legs = async () => [...hub.output.matchAll(/^answered \S+ a=(\S+) b=\S+$/gm)].map(([, leg]) => leg ?? '')
    await run(phones, hub, legs)
  } catch (error) {
    const shown = [hub, ...phones.map(({ program }) => program)].map((each) => `--- ${each.name}\n${each.tail(25)}`)
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${shown.join('\n')}`)
  } finally {
    await Promise.all(phones.map((phone) => phone.stop()))
    await hub.stop()
  }
}

/** It takes a port for TLS beside its own, which somebody else may have: then it starts again with others. */
async function startPhone(options: BaresipOptions, triesLeft = 2): Promise<Baresip> {
  try {
    return await Baresip.start(options)
  } catch (error) {
    if (triesLeft === 0) throw error
    return startPhone(options, triesLeft - 1)
  }
}

async function established(...phones: readonly Baresip[]): Promise<void> {
  await Promise.all(phones.map((phone) => phone.event('CALL_ESTABLISHED', 10_000)))
}

async function baresipTransfersBlind(context: CaseContext): Promise<void> {
  await withPhones(context, async ([alice, bob, carol], hub) => {
    if (alice === undefined || bob === undefined || carol === undefined) throw new Error('a phone is missing')
    alice.command('dial', `sip:${bob.user.name}@${domain}`)
    await established(alice, bob)
    alice.command('transfer', `sip:${carol.user.name}@${domain}`)
    await carol.event('CALL_ESTABLISHED', 10_000)
    await hub.waitFor(/side a replaced by transfer/, 10_000)
    await alice.event('CALL_CLOSED', 10_000)
    // Media flows between the two that are left.
    await Promise.all([bob.event('CALL_RTPESTAB', 10_000), carol.event('CALL_RTPESTAB', 10_000)])
    bob.command('hangup')
    await Promise.all([bob.event('CALL_CLOSED', 10_000), carol.event('CALL_CLOSED', 10_000)])
    await hub.waitFor(/"disposition":"ANSWERED"/, 5_000)
  })
}

async function baresipTransfersAttended(context: CaseContext): Promise<void> {
  await withPhones(context, async ([alice, bob, carol], hub, legs) => {
    if (alice === undefined || bob === undefined || carol === undefined) throw new Error('a phone is missing')
    alice.command('dial', `sip:${bob.user.name}@${domain}`)
    await established(alice, bob)
    alice.command('dial', `sip:${carol.user.name}@${domain}`)
    await established(alice, carol)
    await hub.waitFor(/^answered[\s\S]*^answered .*$/m, 5_000)
    const [, second] = await legs()
    // Its menu has no attended transfer: the Refer-To is written for it, with the call to Carol to be replaced.
    alice.command('line', '1')
    alice.command('transfer', `<sip:${carol.user.name}@${domain}?Replaces=${encodeURIComponent(second ?? '')}>`)
    await hub.waitFor(/side a replaced by transfer/, 10_000)
    await Promise.all([alice.event('CALL_CLOSED', 10_000), bob.event('CALL_RTPESTAB', 10_000)])
    await alice.event('CALL_CLOSED', 10_000)
    bob.command('hangup')
    await Promise.all([bob.event('CALL_CLOSED', 10_000), carol.event('CALL_CLOSED', 10_000)])
  })
}

export const bridgingCases: readonly InteropCase[] = [
  {
    name: 'SIPp asks a bridge for a transfer and is told how it goes (REFER with NOTIFY)',
    run: (context) => sippRefers(context, true),
  },
  {
    name: 'SIPp asks a bridge for a transfer without reports (REFER without NOTIFY)',
    run: (context) => sippRefers(context, false),
  },
  { name: 'SIPp takes the place of a caller in a bridge (Replaces)', run: sippReplaces },
  { name: 'SIPp changes the session before the answer through a bridge (PRACK, UPDATE)', run: sippPracksThrough },
  { name: 'baresip transfers a call through the b2bua example, blind', run: baresipTransfersBlind },
  { name: 'baresip transfers a call through the b2bua example, attended', run: baresipTransfersAttended },
]
