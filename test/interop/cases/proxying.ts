/**
 * Our proxy between SIPp and SIPp, and between Kamailio and SIPp: forking, hunting, CANCEL at any moment, what is lost and
 * repeated (RFC 3261 §16).
 */
import { fileURLToPath } from 'node:url'
import { type ProxyOptions, SipStack } from '@carillon/sip-transaction'
import type { CaseContext, InteropCase } from '../case.ts'
import { type Endpoint, expectThat, ownSdp, withEndpoint } from '../support/endpoint.ts'
import { Kamailio } from '../support/kamailio.ts'
import { freePort, loopback } from '../support/network.ts'
import { sippAnswers, sippCalls } from '../support/peers.ts'
import { Program } from '../support/program.ts'
import { mayTry, pause, receive, respond, type Step, scenario, send, sippSdp } from '../support/scenario.ts'
import { runSipp, type Sipp } from '../support/sipp.ts'

type Context = Pick<CaseContext, 'workDir'>

const example = fileURLToPath(new URL('../../../scripts/lib/example.mjs', import.meta.url))
const of = (method: string) => ({ has: [{ header: 'CSeq:', regexp: method }] })
/** Keeps what an answer needs that does not follow its INVITE at once: the Via of the caller too, and the Record-Route. */
const invited = receive('INVITE', {
  answerLater: 'invite',
  keep: {
    below: { regexp: 'SIP/2.0/UDP [^[:cntrl:]]*;rport=[0-9][^[:cntrl:]]*' },
    way: { header: 'Record-Route:', regexp: '.*' },
  },
})
const kept = { to: 'invite', headers: ['Via: [$below]', 'Record-Route:[$way]'] }

/** What a callee does that rings and answers: the Record-Route of each proxy is copied. */
const answers: readonly Step[] = [
  receive('INVITE'),
  respond('180 Ringing', { headers: ['[last_Record-Route:]'] }),
  respond('200 OK', { headers: ['[last_Record-Route:]'], sdp: sippSdp }),
  receive('ACK'),
  receive('BYE'),
  respond('200 OK', { isInDialog: true }),
]

/** What a callee does that rings until it is cancelled. */
const isCancelled: readonly Step[] = [
  invited,
  respond('180 Ringing', kept),
  receive('CANCEL'),
  respond('200 OK'),
  respond('487 Request Terminated', kept),
  receive('ACK'),
]

/** What a caller does whose call is answered. */
const calls: readonly Step[] = [
  send('INVITE', { cseq: 1, branch: 'invite', place: 'outside', sdp: sippSdp }),
  mayTry,
  receive(180, { isOptional: true }),
  receive(180, { isOptional: true }),
  receive(200, { ...of('INVITE'), target: true }),
  send('ACK', { cseq: 1, branch: 'ack', headers: ['[routes]'] }),
  pause(100),
  send('BYE', { cseq: 2, branch: 'bye', headers: ['[routes]'] }),
  receive(200, of('BYE')),
]

/** A caller that is refused. */
function isRefused(status: number): readonly Step[] {
  return [
    send('INVITE', { cseq: 1, branch: 'invite', place: 'outside', sdp: sippSdp }),
    mayTry,
    receive(180, { isOptional: true }),
    receive(180, { isOptional: true }),
    receive(status),
    send('ACK', { cseq: 1, branch: 'invite', place: 'failed' }),
  ]
}

/** A proxy of ours in this process, and a SIPp for each of the callees. */
async function withProxy(
  { workDir }: Context,
  callees: readonly (readonly Step[])[],
  options: ProxyOptions,
  run: (proxy: Endpoint, uris: readonly string[]) => Promise<void>,
): Promise<void> {
  await withEndpoint({ proxy: true }, async (proxy) => {
    const phones: { sipp: Sipp; uri: string }[] = []
    for (const [index, steps] of callees.entries())
      phones.push(await sippAnswers(workDir, `callee-${index}`, steps, { repeats: false }))
    const uris = phones.map(({ uri }) => uri)
    proxy.stack.use((request) =>
      request.proxy(
        uris.map((uri, index) => ({ uri, q: 1 - index / 10 })),
        { recordRoute: true, mode: 'parallel', ...options },
      ),
    )
    try {
      await run(proxy, uris)
      await Promise.all(phones.map(({ sipp }) => sipp.passes()))
    } finally {
      for (const { sipp } of phones) sipp.program.kill()
    }
    expectThat(proxy.stack.stats().proxied === 0, 'a request is still being proxied')
  })
}

/** A SIPp calls through the proxy to SIPps. */
function forked(
  name: string,
  caller: readonly Step[],
  callees: readonly (readonly Step[])[],
  options: ProxyOptions = {},
  check: (proxy: Endpoint) => void = () => {},
): InteropCase {
  return {
    name: `proxy: ${name}`,
    run: ({ workDir }) =>
      withProxy({ workDir }, callees, options, async (proxy) => {
        await sippCalls(proxy, workDir, 'caller', caller, { repeats: false })
        check(proxy)
      }),
  }
}

/** Both callees answer: each 200 goes back, and the caller, a stack of ours, ends the second call. */
async function twoAnswers({ workDir }: Context): Promise<void> {
  const late: readonly Step[] = [
    invited,
    respond('180 Ringing', kept),
    receive('CANCEL'),
    respond('200 OK', { ...kept, sdp: sippSdp }),
    receive('ACK'),
    receive('BYE'),
    respond('200 OK', { isInDialog: true }),
  ]
  await withProxy({ workDir }, [answers, late], {}, async (proxy) => {
    const caller = await SipStack.create({ listen: [`udp://${loopback}:0`] })
    try {
      const destination = { transport: 'UDP', address: loopback, port: proxy.port() }
      const call = await caller.invite('sip:anyone@example.com', { destination, sdp: ownSdp })
      await proxy.until('in', /^BYE /)
      await call.bye()
    } finally {
      await caller.close({ graceMs: 0 })
    }
    proxy.expectCount(2, 'out', /^SIP\/2\.0 200[^\r]*\r\n(?:.*\r\n)*CSeq: \d+ INVITE/i)
  })
}

/** The example `stateful-proxy`, on a free port. */
async function statefulProxy(workDir: string, nextHop: string): Promise<{ program: Program; port: number }> {
  const port = await freePort()
  const args = [example, 'stateful-proxy', '--listen', `udp://${loopback}:${port}`, '--next-hop', nextHop]
  const program = new Program({ name: 'stateful-proxy', command: process.execPath, args, cwd: workDir })
  await program.waitFor(/^ready$/m, 20_000)
  return { program, port }
}

/** SIPp through Kamailio and our proxy, in one order or the other, to SIPp. */
async function withKamailio({ workDir }: Context, isInFront: boolean): Promise<void> {
  const { sipp, uri } = await sippAnswers(workDir, 'callee', answers, { repeats: false })
  const phone = uri.replace('sip:sipp@', '')
  const kamailioPort = await freePort()
  const ours = await statefulProxy(workDir, `sip:${isInFront ? phone : `${loopback}:${kamailioPort}`}`)
  const kamailio = await Kamailio.start(
    workDir,
    'kamailio',
    kamailioPort,
    isInFront ? `${loopback}:${ours.port}` : phone,
  )
  try {
    const target = `${loopback}:${isInFront ? kamailio.port : ours.port}`
    await runSipp({ workDir, scenario: 'caller', xml: scenario('caller', calls), target, repeats: false })
    await sipp.passes()
  } finally {
    sipp.program.kill()
    await kamailio.stop()
    await ours.program.stop()
  }
}

const invite = send('INVITE', { cseq: 1, branch: 'invite', place: 'outside', sdp: sippSdp })
const cancel = send('CANCEL', { cseq: 1, branch: 'invite', place: 'outside' })

export const proxyingCases: readonly InteropCase[] = [
  forked('one of two SIPps answers, the other is cancelled', calls, [[...isCancelled], answers]),
  forked(
    'one SIPp after the other, by falling q',
    calls,
    [[receive('INVITE'), respond('486 Busy Here'), receive('ACK')], answers],
    { mode: 'serial' },
  ),
  forked('a SIPp that only rings is given up for the next', calls, [isCancelled, answers], {
    mode: 'serial',
    branchTimeoutMs: 500,
  }),
  forked('603 of one SIPp cancels the other, and goes back', isRefused(603), [
    isCancelled,
    [receive('INVITE'), pause(200), respond('603 Decline'), receive('ACK')],
  ]),
  forked('of 404, 480 and 503 the first goes back', isRefused(404), [
    [receive('INVITE'), respond('404 Not Found'), receive('ACK')],
    [receive('INVITE'), pause(150), respond('480 Temporarily Unavailable'), receive('ACK')],
    [receive('INVITE'), pause(150), respond('503 Service Unavailable'), receive('ACK')],
  ]),
  { name: 'proxy: both SIPps answer, one after its CANCEL: each is acknowledged, one is ended', run: twoAnswers },
  forked(
    'CANCEL before any SIPp has said a word waits for the first that does',
    [
      invite,
      receive(100),
      cancel,
      receive(200, of('CANCEL')),
      receive(487, of('INVITE')),
      send('ACK', { cseq: 1, branch: 'invite', place: 'failed' }),
    ],
    [
      [
        invited,
        pause(300),
        respond('100 Trying', kept),
        receive('CANCEL'),
        respond('200 OK'),
        respond('487 Request Terminated', kept),
        receive('ACK'),
      ],
    ],
    {},
    (proxy) => proxy.expectCount(1, 'out', /^CANCEL /),
  ),
  forked(
    'CANCEL that meets a 200 changes nothing',
    [
      invite,
      mayTry,
      receive(180),
      receive(200, { ...of('INVITE'), target: true }),
      cancel,
      receive(200, of('CANCEL')),
      send('ACK', { cseq: 1, branch: 'ack', headers: ['[routes]'] }),
      send('BYE', { cseq: 2, branch: 'bye', headers: ['[routes]'] }),
      receive(200, of('BYE')),
    ],
    [answers],
    {},
    (proxy) => proxy.expectCount(0, 'out', /^CANCEL /),
  ),
  forked(
    'a lost INVITE, a 200 and an ACK that come twice',
    [
      invite,
      // The callee is silent for half a second: the 100 comes, and once more for the INVITE that comes twice.
      receive(100),
      invite,
      mayTry,
      receive(180),
      receive(200, { ...of('INVITE'), target: true }),
      receive(200, of('INVITE')),
      send('ACK', { cseq: 1, branch: 'ack', headers: ['[routes]'] }),
      send('ACK', { cseq: 1, branch: 'ack', headers: ['[routes]'] }),
      pause(100),
      send('BYE', { cseq: 2, branch: 'bye', headers: ['[routes]'] }),
      receive(200, of('BYE')),
    ],
    [
      [
        // The first is not answered: as if it had been lost.
        receive('INVITE'),
        receive('INVITE'),
        respond('180 Ringing', { headers: ['[last_Record-Route:]'] }),
        respond('200 OK', { headers: ['[last_Record-Route:]'], sdp: sippSdp }),
        respond('200 OK', { headers: ['[last_Record-Route:]'], sdp: sippSdp }),
        receive('ACK'),
        receive('ACK'),
        receive('BYE'),
        respond('200 OK', { isInDialog: true }),
      ],
    ],
  ),
  forked(
    'a 486 that comes three times is acknowledged three times, and goes back until its own ACK',
    [
      invite,
      mayTry,
      receive(486),
      // The first ACK is lost.
      receive(486),
      send('ACK', { cseq: 1, branch: 'invite', place: 'failed' }),
    ],
    [[invited, ...Array.from({ length: 3 }, () => [respond('486 Busy Here', kept), receive('ACK')]).flat()]],
  ),
  { name: 'proxy: Kamailio in front of stateful-proxy', run: (context) => withKamailio(context, true) },
  { name: 'proxy: Kamailio behind stateful-proxy', run: (context) => withKamailio(context, false) },
]
