/**
 * Session timers (RFC 4028) with SIPp in both roles. No session may be shorter than 90 seconds, so that our side lives in a
 * world where time goes thirty times as fast; what SIPp sees is a refresh each 1.5 seconds.
 */
import type { Call, SessionTimerOptions } from '@carillon/sip-transaction'
import type { CaseContext, InteropCase } from '../case.ts'
import { type Endpoint, expectThat, fastClock, ownSdp, timersAt, withEndpoint } from '../support/endpoint.ts'
import { callSipp, sippCalls } from '../support/peers.ts'
import { asCallee, mayTry, pause, receive, respond, send, sippSdp } from '../support/scenario.ts'

type Context = Pick<CaseContext, 'workDir'>

const factor = 30
const allowUpdate = 'Allow: INVITE, ACK, BYE, CANCEL, UPDATE'
const withoutUpdate = 'Allow: INVITE, ACK, BYE, CANCEL'

function invite(cseq: number, headers: readonly string[]) {
  const branch = `invite-${cseq}`
  return send('INVITE', { cseq, branch, place: 'outside', headers: ['Supported: timer', ...headers], sdp: sippSdp })
}

const expires = (value: string) => ({ header: 'Session-Expires:', regexp: `^ *${value}` })

async function inFastWorld(run: (endpoint: Endpoint) => Promise<void>, sessionTimers: SessionTimerOptions = {}) {
  await withEndpoint({ clock: fastClock(factor), timers: timersAt(factor), sessionTimers }, run)
}

/** Answers calls and keeps them. */
function answering(endpoint: Endpoint): Call[] {
  const calls: Call[] = []
  endpoint.stack.method('INVITE', async (request) => {
    calls.push(await request.accept({ sdp: ownSdp }))
  })
  return calls
}

/** Fails unless the time from one message to the other is what it should be, in the fast world's seconds. */
function expectSeconds(endpoint: Endpoint, from: RegExp, to: RegExp, seconds: number): void {
  const begin = endpoint.passed('in', from).at(0)?.atMs ?? 0
  const end = endpoint.passed('out', to).at(0)?.atMs ?? 0
  const passed = ((end - begin) * factor) / 1000
  // A second of real time on a busy machine is thirty here.
  const isRight = passed >= seconds - 2 && passed < seconds + 28
  expectThat(isRight, `${to} came after ${passed.toFixed(1)} s of the fast clock, not ${seconds}`)
}

/** SIPp leaves the refreshing to us: twice, by UPDATE where it allows that, else by re-INVITE. */
async function weRefresh({ workDir }: Context, method: 'UPDATE' | 'INVITE'): Promise<void> {
  await inFastWorld(async (endpoint) => {
    const calls = answering(endpoint)
    const refresh = [
      receive(method, { has: [expires('90 *; *refresher=uac')] }),
      respond('200 OK', {
        isInDialog: true,
        headers: ['Require: timer', 'Session-Expires: 90;refresher=uac'],
        ...(method === 'INVITE' ? { sdp: sippSdp } : {}),
      }),
      ...(method === 'INVITE' ? [receive('ACK')] : []),
    ]
    await sippCalls(endpoint, workDir, 'refreshed', [
      invite(1, ['Session-Expires: 90;refresher=uas', method === 'UPDATE' ? allowUpdate : withoutUpdate]),
      mayTry,
      receive(200, { target: true, has: [expires('90 *; *refresher=uas')] }),
      send('ACK', { cseq: 1, branch: 'ack' }),
      ...refresh,
      ...refresh,
      send('BYE', { cseq: 2, branch: 'bye' }),
      receive(200),
    ])
    expectThat(calls[0]?.state === 'ended', 'the call has not ended')
    expectSeconds(endpoint, /^ACK /, method === 'UPDATE' ? /^UPDATE / : /^INVITE /, 45)
    await endpoint.untilIdle()
  })
}

/** SIPp refreshes once and then is gone: we hang up before the session expires (RFC 4028 §10). */
async function sippStopsRefreshing({ workDir }: Context): Promise<void> {
  await inFastWorld(async (endpoint) => {
    const calls = answering(endpoint)
    await sippCalls(endpoint, workDir, 'stops-refreshing', [
      // Too short, and the 422 says what is not.
      invite(1, ['Session-Expires: 60']),
      mayTry,
      receive(422, { has: [{ header: 'Min-SE:', regexp: '^ *90' }] }),
      send('ACK', { cseq: 1, branch: 'invite-1', place: 'failed' }),
      invite(2, ['Session-Expires: 90;refresher=uac', 'Min-SE: 90', allowUpdate]),
      mayTry,
      receive(200, {
        target: true,
        has: [expires('90 *; *refresher=uac'), { header: 'Require:', regexp: 'timer' }],
      }),
      send('ACK', { cseq: 2, branch: 'ack' }),
      pause(1_500),
      send('UPDATE', {
        cseq: 3,
        branch: 'update',
        headers: ['Supported: timer', 'Session-Expires: 90;refresher=uac'],
      }),
      receive(200, { has: [expires('90 *; *refresher=uac')] }),
      receive('BYE', asCallee),
      respond('200 OK', { isInDialog: true }),
    ])
    const [call] = calls
    expectThat((await call?.ended)?.by === 'timeout', `the call ended ${JSON.stringify(await call?.ended)}`)
    // A third of the interval before its end.
    expectSeconds(endpoint, /^UPDATE /, /^BYE /, 60)
    await endpoint.untilIdle()
  })
}

/** We ask for 90 seconds, SIPp wants 120 and lets us refresh; then it answers no refresh any more. */
async function refreshUnanswered({ workDir }: Context): Promise<void> {
  await inFastWorld(
    async (endpoint) => {
      const steps = [
        receive('INVITE', {
          target: true,
          has: [expires('90'), { header: 'Supported:', regexp: 'timer' }],
        }),
        respond('422 Session Interval Too Small', { headers: ['Min-SE: 120'] }),
        receive('ACK'),
        receive('INVITE', { target: true, has: [expires('120'), { header: 'Min-SE:', regexp: '^ *120' }] }),
        respond('200 OK', {
          headers: ['Require: timer', 'Session-Expires: 120;refresher=uac', allowUpdate],
          sdp: sippSdp,
        }),
        receive('ACK'),
        receive('UPDATE', { has: [expires('120 *; *refresher=uac')] }),
        respond('481 Call/Transaction Does Not Exist', { isInDialog: true }),
        receive('BYE'),
        respond('481 Call/Transaction Does Not Exist', { isInDialog: true }),
      ]
      let by: string | undefined
      const during = async (call: Call) => {
        expectThat(call.sessionTimer?.seconds === 120, `agreed on ${JSON.stringify(call.sessionTimer)}`)
        by = (await call.ended).by
      }
      await callSipp(endpoint, workDir, 'refresh-refused', steps, during, { invite: { sdp: ownSdp } })
      expectThat(by !== 'local', `the call ended by ${by}`)
      expectSeconds(endpoint, /^SIP\/2\.0 200/, /^UPDATE /, 60)
      await endpoint.untilIdle()
    },
    { expiresSeconds: 90 },
  )
}

export const sessionTimerCases: readonly InteropCase[] = [
  { name: 'session timer: we refresh the call of SIPp by UPDATE', run: (context) => weRefresh(context, 'UPDATE') },
  { name: 'session timer: we refresh the call of SIPp by re-INVITE', run: (context) => weRefresh(context, 'INVITE') },
  { name: 'session timer: 422 for SIPp, its refresh, and BYE when it stops', run: sippStopsRefreshing },
  { name: 'session timer: 422 from SIPp, and a refresh that finds no call', run: refreshUnanswered },
]
