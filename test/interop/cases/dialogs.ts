/**
 * What happens inside of dialogs, with SIPp in both roles: reliable provisional responses (RFC 3262), UPDATE before and
 * after the answer (RFC 3311), re-INVITEs that meet (RFC 3261 §14, RFC 3264 §4).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Call, EarlyDialog, IncomingRequest } from '@carillon/sip-transaction'
import type { CaseContext, InteropCase } from '../case.ts'
import { type Endpoint, expectThat, ownSdp, sdpOf, withEndpoint } from '../support/endpoint.ts'
import { callSipp, sippAnswers, sippCalls, withSipp } from '../support/peers.ts'
import {
  asCallee,
  mayTry,
  pause,
  receive,
  respond,
  type Step,
  send,
  sendAsCallee,
  sippHoldSdp,
  sippSdp,
} from '../support/scenario.ts'

type Context = Pick<CaseContext, 'workDir'>

const rseq = { keep: { rseq: { header: 'RSeq:', regexp: '[0-9]+' } } }
const answered = { header: 'CSeq:', regexp: 'INVITE' }

/** INVITE of SIPp, with the option tag in that header. */
function invite(header: string): Step {
  return send('INVITE', { cseq: 1, branch: 'invite', place: 'outside', headers: [header], sdp: sippSdp })
}

const established: readonly Step[] = [
  receive(200, { target: true, has: [answered] }),
  send('ACK', { cseq: 1, branch: 'ack' }),
]

function hangUp(cseq: number): readonly Step[] {
  return [send('BYE', { cseq, branch: 'bye' }), receive(200)]
}

/** Answers a change of the session: what was offered as held is answered as heard only. */
function agree(request: IncomingRequest): void {
  const isHeld = Buffer.from(request.body).includes('a=sendonly')
  if (request.body.length === 0) request.reply(200)
  else request.reply(200, { body: sdpOf(2, isHeld ? 'recvonly' : 'sendrecv') })
}

function acks(endpoint: Endpoint, expected: number): void {
  endpoint.expectCount(expected, 'out', /^ACK /)
}

async function sippPracks({ workDir }: Context, header: string, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({ reliableProvisional: 'always' }, async (endpoint) => {
    endpoint.stack.method('INVITE', async (request) => {
      request.reply(183, { body: ownSdp })
      request.reply(180)
      // A 2xx at once would take the place of the response that waits for its turn.
      await endpoint.until('in', /CSeq: 4 PRACK/i)
      await request.accept()
    })
    const first = receive(183, {
      target: true,
      has: [
        { header: 'Require:', regexp: '100rel' },
        { header: 'Content-Type:', regexp: 'application/sdp' },
      ],
      ...rseq,
    })
    // Over UDP the response is repeated until the PRACK comes.
    const repeated = transport === 'u1' ? [receive(183, { has: [{ header: 'RSeq:', regexp: '[0-9]+' }] })] : []
    await sippCalls(
      endpoint,
      workDir,
      'prack-caller',
      [
        invite(header),
        mayTry,
        first,
        ...repeated,
        send('PRACK', { cseq: 2, branch: 'wrong', headers: ['RAck: [$rseq] 2 INVITE'] }),
        receive(481),
        send('PRACK', { cseq: 3, branch: 'prack-1', headers: ['RAck: [$rseq] 1 INVITE'] }),
        receive(200, { has: [{ header: 'CSeq:', regexp: 'PRACK' }] }),
        receive(180, { has: [{ header: 'Require:', regexp: '100rel' }], ...rseq }),
        send('PRACK', { cseq: 4, branch: 'prack-2', headers: ['RAck: [$rseq] 1 INVITE'] }),
        receive(200, { has: [{ header: 'CSeq:', regexp: 'PRACK' }] }),
        ...established,
        ...hangUp(5),
      ],
      { transport, repeats: false },
    )
    const numbers = endpoint
      .passed('out', /^SIP\/2\.0 18[03]/)
      .map(({ text }) => Number(/RSeq: *(\d+)/i.exec(text)?.[1]))
    const [lowest, highest] = [Math.min(...numbers), Math.max(...numbers)]
    expectThat(highest === lowest + 1, `the numbers of the responses were ${numbers}`)
    await endpoint.untilIdle()
  })
}

async function weirdPrack({ workDir }: Context, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    const reliable = (number: number) => ({ headers: ['Require: 100rel', `RSeq: ${number}`], to: 'invite' })
    const praised: number[] = []
    const steps = [
      receive('INVITE', { target: true, has: [{ header: 'Supported:', regexp: '100rel' }], answerLater: 'invite' }),
      respond('180 Ringing', reliable(100)),
      receive('PRACK', { has: [{ header: 'RAck:', regexp: '^ *100 +1 +INVITE' }] }),
      respond('200 OK', { isInDialog: true }),
      // The same again, as if our PRACK had been late, and one too far ahead: neither gets a PRACK.
      respond('180 Ringing', reliable(100)),
      respond('183 Session Progress', reliable(102)),
      pause(200),
      respond('183 Session Progress', { ...reliable(101), sdp: sippSdp }),
      receive('PRACK', { has: [{ header: 'RAck:', regexp: '^ *101 +1 +INVITE' }] }),
      respond('200 OK', { isInDialog: true }),
      respond('200 OK', { to: 'invite' }),
      receive('ACK'),
      receive('BYE'),
      respond('200 OK', { isInDialog: true }),
    ]
    const onProvisional = ({ status }: { status: number }) => void praised.push(status)
    const options = { transport, repeats: false, invite: { sdp: ownSdp, onProvisional } }
    await callSipp(endpoint, workDir, 'prack-callee', steps, (call) => call.bye(), options)
    endpoint.expectCount(2, 'out', /^PRACK /)
    expectThat(praised.join() === '180,183', `the caller was told of ${praised}`)
    acks(endpoint, 1)
    await endpoint.untilIdle()
  })
}

/** UPDATE of each side before the answer and after it, SIPp being the caller. */
async function updatesWithCaller({ workDir }: Context, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    const statuses: number[] = []
    const remote: boolean[] = []
    const noteHold = (dialog: Call | EarlyDialog) =>
      remote.push(Buffer.from(dialog.remoteSdp ?? []).includes('a=sendonly'))
    endpoint.stack.method('INVITE', async (request) => {
      request.reply(183, { body: ownSdp, reliable: true })
      const { early } = request
      if (early === undefined) throw new Error('there is no early dialog')
      early.onRequest(agree)
      await endpoint.until('in', /^UPDATE /)
      noteHold(early)
      statuses.push((await early.update({ sdp: sdpOf(3, 'sendrecv') })).status)
      const call = await request.accept()
      await endpoint.until('in', /CSeq: 4 UPDATE/i)
      noteHold(call)
      statuses.push((await call.update({ sdp: sdpOf(4, 'inactive') })).status)
    })
    const isUpdate = { header: 'CSeq:', regexp: 'UPDATE' }
    await sippCalls(
      endpoint,
      workDir,
      'update-caller',
      [
        invite('Require: 100rel'),
        mayTry,
        receive(183, { target: true, has: [{ header: 'Allow:', regexp: 'UPDATE' }], ...rseq }),
        send('PRACK', { cseq: 2, branch: 'prack', headers: ['RAck: [$rseq] 1 INVITE'] }),
        receive(200),
        send('UPDATE', { cseq: 3, branch: 'early', sdp: sippHoldSdp }),
        receive(200, { has: [isUpdate, { regexp: 'a=recvonly' }] }),
        receive('UPDATE', { has: [{ regexp: 'a=sendrecv' }] }),
        respond('200 OK', { isInDialog: true, sdp: sippSdp }),
        ...established,
        send('UPDATE', { cseq: 4, branch: 'late', sdp: sippSdp.replace('20190 1', '20190 3') }),
        receive(200, { has: [isUpdate, { regexp: 'a=sendrecv' }] }),
        receive('UPDATE', { has: [{ regexp: 'a=inactive' }] }),
        respond('200 OK', { isInDialog: true, sdp: sippSdp }),
        ...hangUp(5),
      ],
      { transport },
    )
    expectThat(statuses.join() === '200,200', `our UPDATEs were answered ${statuses}`)
    expectThat(remote.join() === 'true,false', `the offers of SIPp were read as held: ${remote}`)
    await endpoint.untilIdle()
  })
}

/** The same, SIPp being called. */
async function updatesWithCallee({ workDir }: Context, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    const statuses: number[] = []
    const steps = [
      receive('INVITE', {
        target: true,
        has: [{ header: 'Allow:', regexp: 'UPDATE' }],
        answerLater: 'invite',
        keep: { callee: { header: 'To:', regexp: '.*' }, caller: { header: 'From:', regexp: '.*' } },
      }),
      respond('183 Session Progress', {
        to: 'invite',
        headers: ['Require: 100rel', 'RSeq: 7', 'Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE'],
        sdp: sippSdp,
      }),
      receive('PRACK', asCallee),
      respond('200 OK', { isInDialog: true }),
      receive('UPDATE', { has: [{ regexp: 'a=sendonly' }] }),
      respond('200 OK', { isInDialog: true, sdp: `${sippSdp}\na=recvonly` }),
      sendAsCallee('UPDATE', { cseq: 1, branch: 'early', sdp: sippHoldSdp }),
      receive(200, { has: [{ regexp: 'a=recvonly' }] }),
      respond('200 OK', { to: 'invite' }),
      receive('ACK'),
      sendAsCallee('UPDATE', { cseq: 2, branch: 'late', sdp: sippSdp.replace('20190 1', '20190 3') }),
      receive(200, { has: [{ regexp: 'a=sendrecv' }] }),
      receive('UPDATE', { hasNot: [{ header: 'Content-Type:', regexp: 'sdp' }] }),
      respond('200 OK', { isInDialog: true }),
      receive('BYE'),
      respond('200 OK', { isInDialog: true }),
    ]
    const { sipp, uri } = await sippAnswers(workDir, 'update-callee', steps, { transport })
    const updateEarly = async (early: EarlyDialog) => {
      // SIPp can do one thing at a time.
      await endpoint.until('in', /CSeq: 2 PRACK/i)
      statuses.push((await early.update({ sdp: sdpOf(2, 'sendonly') })).status)
    }
    await withSipp(sipp, async () => {
      const call = await endpoint.stack.invite(uri, {
        sdp: ownSdp,
        reliable: 'required',
        onProvisional: (_, early) => {
          early?.onRequest(agree)
          if (early !== undefined) updateEarly(early).catch(() => statuses.push(0))
        },
      })
      await endpoint.until('in', /CSeq: 2 UPDATE/i)
      statuses.push((await call.update()).status)
      await call.bye()
    })
    expectThat(statuses.join() === '200,200', `our UPDATEs were answered ${statuses}`)
    await endpoint.untilIdle()
  })
}

/** Both send a re-INVITE at once: 491 both ways, and each gets through after its wait. */
async function glare({ workDir }: Context, transport: 'u1' | 't1'): Promise<void> {
  await withEndpoint({}, async (endpoint) => {
    const statuses: number[] = []
    let callee: Call | undefined
    endpoint.stack.method('INVITE', async (request) => {
      const call = await request.accept({ sdp: ownSdp })
      callee = call
      call.onRequest(agree)
      statuses.push((await call.reinvite({ sdp: sdpOf(2, 'sendonly') })).status)
    })
    await sippCalls(
      endpoint,
      workDir,
      'glare',
      [
        invite('Supported: timer'),
        mayTry,
        ...established,
        receive('INVITE', { has: [{ regexp: 'a=sendonly' }], answerLater: 'theirs' }),
        send('INVITE', { cseq: 2, branch: 'ours', sdp: sippHoldSdp }),
        mayTry,
        receive(491),
        send('ACK', { cseq: 2, branch: 'ours' }),
        respond('491 Request Pending', { to: 'theirs', isInDialog: true }),
        receive('ACK'),
        // They do not own the Call-ID: they wait for up to two seconds, we for more than that.
        receive('INVITE', { has: [{ regexp: 'a=sendonly' }] }),
        respond('200 OK', { isInDialog: true, sdp: `${sippSdp}\na=recvonly` }),
        receive('ACK'),
        send('INVITE', { cseq: 3, branch: 'again', sdp: sippHoldSdp }),
        mayTry,
        receive(200, { has: [{ regexp: 'a=recvonly' }] }),
        send('ACK', { cseq: 3, branch: 'ack-again' }),
        ...hangUp(4),
      ],
      { transport },
    )
    expectThat(statuses.join() === '200', `our re-INVITE came to ${statuses}`)
    const [first, second] = endpoint.passed('out', /^INVITE /)
    const waitedMs = (second?.atMs ?? 0) - (first?.atMs ?? 0)
    expectThat(waitedMs < 3_000, `we waited ${waitedMs} ms, as if the Call-ID were ours`)
    expectThat(callee?.state === 'ended', 'the call has not ended')
    endpoint.expectCount(1, 'out', /^SIP\/2\.0 491/)
    await sleep(50)
    await endpoint.untilIdle()
  })
}

function overBoth(name: string, run: (context: Context, transport: 'u1' | 't1') => Promise<void>): InteropCase[] {
  return (['u1', 't1'] as const).map((transport) => ({
    name: `${name}, over ${transport === 'u1' ? 'UDP' : 'TCP'}`,
    run: (context) => run(context, transport),
  }))
}

export const dialogCases: readonly InteropCase[] = [
  ...overBoth('100rel: SIPp requires it and sends PRACK, wrong ones too', (context, transport) =>
    sippPracks(context, 'Require: 100rel', transport),
  ),
  {
    name: '100rel: SIPp supports it and sends PRACK',
    run: (context) => sippPracks(context, 'Supported: 100rel', 'u1'),
  },
  ...overBoth(
    '100rel: SIPp sends reliable responses, repeated and out of order, and gets one PRACK for each',
    weirdPrack,
  ),
  ...overBoth('UPDATE both ways before and after the answer, SIPp calling', updatesWithCaller),
  ...overBoth('UPDATE both ways before and after the answer, SIPp called', updatesWithCallee),
  ...overBoth('re-INVITE glare: 491 both ways, then both get through', glare),
]
