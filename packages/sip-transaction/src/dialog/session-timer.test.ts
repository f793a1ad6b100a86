import { createRequest, createResponse, type HeaderInit, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { glareWaitMs } from './glare'
import {
  type SessionTimerPolicy,
  sessionAgreed,
  sessionAnswer,
  sessionAnswerHeaders,
  sessionMinimum,
  sessionOffer,
} from './session-interval'
import { SessionTimer, type SessionTimerInput, type SessionTimerState, sessionTimerDefinition } from './session-timer'

const paths: Readonly<Record<Exclude<SessionTimerState, 'terminated'>, readonly SessionTimerInput[]>> = {
  off: [],
  refreshing: ['agreed-local'],
  asking: ['agreed-local', 'refresh-due'],
  watching: ['agreed-remote'],
}

/** Gives one input at that time; for the timers, time has to come. */
function give(timer: SessionTimer, input: SessionTimerInput, nowMs: number): string | undefined {
  if (input === 'agreed-local') timer.agree(1_800, true, nowMs)
  else if (input === 'agreed-remote') timer.agree(1_800, false, nowMs)
  else if (input === 'agreed-none') timer.agree(0, false, nowMs)
  else if (input === 'refresh-due') return timer.expire(900_000)
  else if (input === 'expiry-due') return timer.expire(1_768_000)
  else if (input === 'refresh-failed') timer.refreshFailed(nowMs)
  else timer.close()
  return undefined
}

describe('SessionTimer', () => {
  it('does in every state what its table says', () => {
    for (const [state, path] of Object.entries(paths) as [keyof typeof paths, readonly SessionTimerInput[]][]) {
      for (const input of Object.keys(sessionTimerDefinition.inputs) as SessionTimerInput[]) {
        const decision = sessionTimerDefinition.table[state][input]
        const timer = new SessionTimer()
        for (const each of path) give(timer, each, 0)
        expect(timer.state).toBe(state)
        const due = give(timer, input, 900_000)
        if (typeof decision === 'string') expect([timer.state, due], `${state} ${input}`).toEqual([state, undefined])
        else {
          expect(timer.state, `${state} ${input}`).toBe(decision.next)
          if (decision.run[0] === 'refresh' || decision.run[0] === 'expire') expect(due).toBe(decision.run[0])
        }
      }
    }
  })

  it('RFC 4028 §7.2 and §10: refreshes at half of the interval, and ends a third before its end, 32 s at most', () => {
    const long = new SessionTimer()
    long.agree(1_800, true, 1_000)
    expect(long.deadline()).toBe(901_000)
    expect(long.expire(900_999)).toBeUndefined()
    expect(long.expire(901_000)).toBe('refresh')
    expect(long.deadline()).toBe(1_769_000)
    expect(long.expire(1_769_000)).toBe('expire')
    const short = new SessionTimer()
    short.agree(90, false, 0)
    expect(short.deadline()).toBe(60_000)
    expect([short.weRefresh, short.seconds]).toEqual([false, 90])
  })

  it('a refresh that fails is tried again before the end, and each 2xx begins anew', () => {
    const timer = new SessionTimer()
    timer.agree(160, true, 0)
    timer.expire(80_000)
    timer.refreshFailed(80_500)
    expect(timer.deadline()).toBe(90_500)
    expect(timer.expire(90_500)).toBe('refresh')
    timer.agree(160, true, 91_000)
    expect(timer.deadline()).toBe(171_000)
    timer.agree(0, false, 95_000)
    expect([timer.deadline(), timer.weRefresh]).toEqual([Number.POSITIVE_INFINITY, undefined])
  })
})

const policy: SessionTimerPolicy = { expiresSeconds: 1_800, minSeconds: 90, isOffered: true, refresher: 'uac' }

function request(...headers: HeaderInit[]): SipRequest {
  return createRequest({ method: 'INVITE', uri: 'sip:b@b', headers })
}

function answer(given: SessionTimerPolicy, weRefresh: boolean | undefined, ...headers: HeaderInit[]): string {
  const verdict = sessionAnswer(given, request(...headers), weRefresh)
  if (verdict.kind === 'too-small') return `422 ${verdict.minSeconds}`
  return sessionAnswerHeaders(verdict)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' | ')
}

const supported: HeaderInit = ['Supported', 'timer']

describe('the answer to a request with a session timer', () => {
  it.each([
    // RFC 4028 §9, table 2: whether the caller knows timers, whom it names, who refreshes.
    [[['Session-Expires', '600']], 'Session-Expires: 600;refresher=uas'],
    [[supported, ['Session-Expires', '600']], 'Session-Expires: 600;refresher=uac | Require: timer'],
    [[supported, ['Session-Expires', '600;refresher=uac']], 'Session-Expires: 600;refresher=uac | Require: timer'],
    [[supported, ['Session-Expires', '600;refresher=uas']], 'Session-Expires: 600;refresher=uas | Require: timer'],
    [
      [
        ['Require', 'timer'],
        ['x', '600'],
      ],
      'Session-Expires: 600;refresher=uac | Require: timer',
    ],
    [[supported], 'Session-Expires: 1800;refresher=uac | Require: timer'],
    [[], ''],
    // It may be made shorter, but not than the caller's minimum, and never longer.
    [[supported, ['Session-Expires', '7200']], 'Session-Expires: 1800;refresher=uac | Require: timer'],
    [
      [supported, ['Session-Expires', '7200'], ['Min-SE', '3600']],
      'Session-Expires: 3600;refresher=uac | Require: timer',
    ],
    [[supported, ['Session-Expires', '100']], 'Session-Expires: 100;refresher=uac | Require: timer'],
    // Too small: 422 for who understands it, nothing for who does not.
    [[supported, ['Session-Expires', '89']], '422 90'],
    [[['Session-Expires', '1']], ''],
    [[supported, ['Session-Expires', 'soon']], 'Session-Expires: 1800;refresher=uac | Require: timer'],
  ] as [HeaderInit[], string][])('%j gives %s', (headers, expected) => {
    expect(answer(policy, undefined, ...headers)).toBe(expected)
  })

  it('keeps the roles in a refresh that leaves them open, and goes along when told only to', () => {
    expect(answer(policy, true, supported, ['Session-Expires', '600'])).toContain('refresher=uas')
    expect(answer(policy, false, supported, ['Session-Expires', '600'])).toContain('refresher=uac')
    expect(answer(policy, true)).toBe('Session-Expires: 1800;refresher=uas')
    expect(answer(policy, false)).toBe('')
    const passive = { ...policy, isOffered: false }
    expect(answer(passive, undefined, supported)).toBe('')
    expect(answer(passive, undefined, supported, ['Session-Expires', '600'])).toContain('600')
  })

  it('RFC 4028 §7: what we ask for, and what the answer says', () => {
    const text = (headers: readonly HeaderInit[]) => headers.map(([name, value]) => `${name}: ${value}`)
    expect(text(sessionOffer(1_800, 90, undefined))).toEqual(['Session-Expires: 1800'])
    expect(text(sessionOffer(1_800, 3_600, 'uac'))).toEqual(['Session-Expires: 3600;refresher=uac', 'Min-SE: 3600'])
    const response = (...headers: HeaderInit[]) => createResponse({ status: 200, headers })
    expect(sessionAgreed(response())).toBeUndefined()
    expect(sessionAgreed(response(['Session-Expires', '600;refresher=uas']))).toEqual({
      seconds: 600,
      refresher: 'uas',
    })
    // A peer cannot make us refresh all the time.
    expect(sessionAgreed(response(['Session-Expires', '0;refresher=uac']))).toEqual({ seconds: 90, refresher: 'uac' })
    expect(sessionMinimum(response(['Min-SE', '3600']))).toBe(3_600)
    expect(sessionMinimum(response(['Min-SE', '4294967295']))).toBeUndefined()
    expect(sessionMinimum(response())).toBeUndefined()
  })
})

describe('glareWaitMs', () => {
  it('RFC 3261 §14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in steps of 10 ms', () => {
    expect([glareWaitMs(true, 0), glareWaitMs(true, 0.999_999)]).toEqual([2_100, 4_000])
    expect([glareWaitMs(false, 0), glareWaitMs(false, 0.999_999)]).toEqual([0, 2_000])
    for (let part = 0; part < 100; part += 1) expect(glareWaitMs(true, part / 100) % 10).toBe(0)
  })
})
