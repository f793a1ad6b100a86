/**
 * Calls that are given up and messages that are lost, with SIPp in both roles: CANCEL before a provisional response, after it
 * and across a 200 (RFC 3261 §9, §15), ACKs and 200s that never arrive (§13.2.2.4, §13.3.1.4, RFC 6026).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SipTransactionError } from '@carillon/sip-transaction'
import type { CaseContext, InteropCase } from '../case.ts'
import { expectThat, ownSdp, withEndpoint } from '../support/endpoint.ts'
import { callSipp, sippAnswers, sippCalls, withSipp } from '../support/peers.ts'
import { label, mayTry, pause, receive, respond, type Step, send, sippSdp } from '../support/scenario.ts'

type Context = Pick<CaseContext, 'workDir'>

/** A 200 is repeated for 64 times T1, which here is not half a minute. */
const quickTimers = { T1: 30, T2: 240 }

const invite = send('INVITE', { cseq: 1, branch: 'invite', place: 'outside', sdp: sippSdp })
const cancel = send('CANCEL', { cseq: 1, branch: 'invite', place: 'outside' })
const of = (method: string) => ({ has: [{ header: 'CSeq:', regexp: method }] })
const bye: readonly Step[] = [receive('BYE'), respond('200 OK', { isInDialog: true })]

/** SIPp gives up: before anything but 100, or when it rings. */
async function sippCancels({ workDir }: Context, rings: boolean, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    let wasTold = false
    endpoint.stack.method('INVITE', (request) => {
      if (rings) request.reply(180)
      request.signal.addEventListener('abort', () => {
        wasTold = request.cancelReasons[0]?.cause === 200
      })
    })
    await sippCalls(
      endpoint,
      workDir,
      'cancels',
      [
        invite,
        ...(rings ? [mayTry, receive(180)] : [receive(100)]),
        send('CANCEL', {
          cseq: 1,
          branch: 'invite',
          place: 'outside',
          headers: ['Reason: SIP ;cause=200 ;text="Call completed elsewhere"'],
        }),
        receive(200, of('CANCEL')),
        receive(487, of('INVITE')),
        send('ACK', { cseq: 1, branch: 'invite', place: 'failed' }),
      ],
      { transport },
    )
    expectThat(wasTold, 'the called side was not told why the call was cancelled')
    await endpoint.untilIdle()
  })
}

/** The CANCEL of SIPp meets our 200: it changes nothing, and the call is up (RFC 3261 §9.2). */
async function sippCancelsLate({ workDir }: Context): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    let isAborted = false
    endpoint.stack.method('INVITE', async (request) => {
      request.signal.addEventListener('abort', () => {
        isAborted = true
      })
      request.reply(180)
      await request.accept({ sdp: ownSdp })
    })
    await sippCalls(endpoint, workDir, 'cancels-late', [
      invite,
      mayTry,
      receive(180),
      receive(200, { ...of('INVITE'), target: true }),
      cancel,
      receive(200, of('CANCEL')),
      send('ACK', { cseq: 1, branch: 'ack' }),
      pause(100),
      send('BYE', { cseq: 2, branch: 'bye' }),
      receive(200, of('BYE')),
    ])
    expectThat(!isAborted, 'the call was taken for cancelled')
    await endpoint.untilIdle()
  })
}

/** We give up: the CANCEL waits for a provisional response (RFC 3261 §9.1). */
async function weCancel({ workDir }: Context, rings: boolean, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    const quietMs = 300
    const { sipp, uri } = await sippAnswers(
      workDir,
      'cancelled',
      [
        receive('INVITE', { answerLater: 'invite' }),
        // A CANCEL in this time would be the unexpected message that ends the run.
        ...(rings ? [] : [pause(quietMs)]),
        respond(rings ? '180 Ringing' : '100 Trying', { to: 'invite' }),
        receive('CANCEL', { has: [{ header: 'Reason:', regexp: 'Q.850.*cause=16' }] }),
        respond('200 OK'),
        respond('487 Request Terminated', { to: 'invite' }),
        receive('ACK', of('1 ACK')),
      ],
      // Over UDP we repeat an INVITE that nobody has heard; that is not what is tried here.
      { transport },
    )
    await withSipp(sipp, async () => {
      const giveUp = new AbortController()
      const onProvisional = () => giveUp.abort('Q.850 ;cause=16')
      const calling = endpoint.stack.invite(uri, { sdp: ownSdp, signal: giveUp.signal, onProvisional })
      if (!rings) {
        await endpoint.until('out', /^INVITE /)
        giveUp.abort('Q.850 ;cause=16')
      }
      const error: unknown = await calling.catch((reason: unknown) => reason)
      expectThat(error instanceof SipTransactionError && error.code === 'ABORTED', `the call came to ${error}`)
    })
    await endpoint.until('out', /^ACK /)
    endpoint.expectCount(1, 'out', /^CANCEL /)
    await endpoint.untilIdle()
  })
}

/** Our CANCEL meets the 200 of SIPp: ACK, then BYE, and nobody is left in a call (RFC 3261 §15). */
async function weCancelLate({ workDir }: Context, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    const { sipp, uri } = await sippAnswers(
      workDir,
      'cancelled-late',
      [
        receive('INVITE', { answerLater: 'invite', target: true }),
        respond('180 Ringing', { to: 'invite' }),
        receive('CANCEL'),
        respond('200 OK', { to: 'invite', sdp: sippSdp }),
        receive('ACK', of('1 ACK')),
        ...bye,
      ],
      { transport, repeats: false },
    )
    await withSipp(sipp, async () => {
      const giveUp = new AbortController()
      const onProvisional = () => giveUp.abort()
      const calling = endpoint.stack.invite(uri, { sdp: ownSdp, signal: giveUp.signal, onProvisional })
      const error: unknown = await calling.catch((reason: unknown) => reason)
      expectThat(error instanceof SipTransactionError && error.code === 'ABORTED', `the call came to ${error}`)
      await endpoint.until('in', /CSeq: 2 BYE/i)
    })
    endpoint.expectCount(1, 'out', /^ACK /)
    endpoint.expectCount(1, 'out', /^BYE /)
    await endpoint.untilIdle()
  })
}

/** No ACK ever comes: the 200 is repeated for 64 times T1, then we hang up (RFC 3261 §13.3.1.4). */
async function noAck({ workDir }: Context, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({ timers: quickTimers }, async (endpoint) => {
    let outcome: unknown
    endpoint.stack.method('INVITE', async (request) => {
      outcome = await request.accept({ sdp: ownSdp }).catch((error: unknown) => error)
    })
    const steps = [invite, mayTry, receive(200), label('1'), receive(200, { isOptional: true, next: '1' }), ...bye]
    await sippCalls(endpoint, workDir, 'no-ack', steps, { transport, repeats: false })
    const answers = endpoint.passed('out', /^SIP\/2\.0 200[\s\S]*CSeq: 1 INVITE/i)
    const [first, second] = answers
    const [last] = endpoint.passed('out', /^BYE /)
    const waitedMs = (last?.atMs ?? 0) - (first?.atMs ?? 0)
    // 30, 60, 120 ms between them, then 240 ms each, over TCP too.
    expectThat(answers.length >= 7 && answers.length <= 11, `the 200 was sent ${answers.length} times`)
    expectThat((second?.atMs ?? 0) - (first?.atMs ?? 0) >= 29, 'the second 200 came too soon')
    expectThat(waitedMs >= 1_900 && waitedMs < 3_000, `we hung up after ${waitedMs} ms instead of 1920`)
    expectThat(outcome instanceof SipTransactionError && outcome.code === 'ACK_MISSING', `it came to ${outcome}`)
    await endpoint.untilIdle()
  })
}

/** Our ACK is lost: each 200 of SIPp gets it again, and there is one call (RFC 3261 §13.2.2.4). */
async function ackAgain({ workDir }: Context): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    const answer = respond('200 OK', { to: 'invite', sdp: sippSdp })
    const ack = receive('ACK', of('1 ACK'))
    const steps = [
      receive('INVITE', { answerLater: 'invite', target: true }),
      ...[answer, ack, pause(50), answer, ack, pause(50), answer, ack],
      ...bye,
    ]
    const during = async (call: { bye(): Promise<void> }) => {
      while (endpoint.passed('out', /^ACK /).length < 3) await sleep(10)
      await call.bye()
    }
    await callSipp(endpoint, workDir, 'ack-lost', steps, during, { repeats: false, invite: { sdp: ownSdp } })
    const acks = new Set(endpoint.passed('out', /^ACK /).map(({ text }) => text))
    expectThat(acks.size === 1, 'the ACKs differ')
    endpoint.expectCount(3, 'out', /^ACK /)
    await endpoint.untilIdle()
  })
}

/** Our 200 is lost and SIPp, having heard nothing, repeats its INVITE: no second call, and the 200 comes again. */
async function answerAgain({ workDir }: Context): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    let calls = 0
    endpoint.stack.method('INVITE', async (request) => {
      calls += 1
      await request.accept({ sdp: ownSdp })
    })
    await sippCalls(
      endpoint,
      workDir,
      'answer-lost',
      [
        invite,
        mayTry,
        receive(200, { keep: { tag: { header: 'To:', regexp: 'tag=.*' } } }),
        invite,
        invite,
        receive(200, { ...of('INVITE'), target: true }),
        send('ACK', { cseq: 1, branch: 'ack' }),
        // No further 200 may come.
        pause(1_500),
        send('BYE', { cseq: 2, branch: 'bye' }),
        receive(200, of('BYE')),
      ],
      { repeats: false },
    )
    const answers = new Set(endpoint.passed('out', /^SIP\/2\.0 200[\s\S]*CSeq: 1 INVITE/i).map(({ text }) => text))
    expectThat(calls === 1, `the INVITE made ${calls} calls`)
    expectThat(answers.size === 1, 'the 200s differ')
    endpoint.expectCount(3, 'in', /^INVITE /)
    endpoint.expectCount(2, 'out', /^SIP\/2\.0 200[\s\S]*CSeq: 1 INVITE/i)
    await endpoint.untilIdle()
  })
}

function overBoth(name: string, run: (context: Context, transport: 'u1' | 't1') => Promise<void>): InteropCase[] {
  return (['u1', 't1'] as const).map((transport) => ({
    name: `${name}, over ${transport === 'u1' ? 'UDP' : 'TCP'}`,
    run: (context) => run(context, transport),
  }))
}

export const raceCases: readonly InteropCase[] = [
  ...overBoth('CANCEL of SIPp before it rings', (context, transport) => sippCancels(context, false, transport)),
  ...overBoth('CANCEL of SIPp when it rings', (context, transport) => sippCancels(context, true, transport)),
  { name: 'CANCEL of SIPp crosses our 200: the call is up', run: sippCancelsLate },
  ...overBoth('CANCEL of ours waits for the first response of SIPp', (context, transport) =>
    weCancel(context, false, transport),
  ),
  ...overBoth('CANCEL of ours when SIPp rings', (context, transport) => weCancel(context, true, transport)),
  ...overBoth('CANCEL of ours crosses the 200 of SIPp: ACK and BYE', weCancelLate),
  ...overBoth('lost ACK: SIPp never sends one, the 200 is repeated, then BYE', noAck),
  { name: 'lost ACK: SIPp repeats its 200 and gets the same ACK again', run: ackAgain },
  { name: 'lost 200: SIPp repeats its INVITE, there is one call and the 200 again', run: answerAgain },
]
