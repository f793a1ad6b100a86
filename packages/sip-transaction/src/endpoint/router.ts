/**
 * Which handlers a request outside of calls meets: RFC 3261 §8.2.1 (methods), §8.2.2.1 (schemes), §8.2.2.3 (Require),
 * §11 (OPTIONS).
 */
import { checkRequestUriScheme, type HeaderInit } from '@carillon/sip-parser'
import { isKnownMethod } from './answer-by-default'
import type { DialogSession } from './calls/dialog-session'
import { refuseReplaces } from './calls/replaces'
import { judgeSession } from './calls/session-timers'
import type { Core } from './core'
import type { Handler } from './options'
import { runHandlers } from './requests/handler-chain'
import type { IncomingRequest } from './requests/incoming-request'

/** What the stack itself knows what to do with; PRACK and UPDATE inside calls only. */
const ownMethods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'PRACK', 'UPDATE']

/** Handlers of one stack. */
export class Router {
  private readonly general: Handler[] = []
  private readonly byMethod = new Map<string, Handler[]>()
  private readonly chains = new Map<string, readonly Handler[]>()

  method(name: string, handlers: readonly Handler[]): void {
    this.byMethod.set(name, [...(this.byMethod.get(name) ?? []), ...handlers])
    this.chains.clear()
  }

  use(handlers: readonly Handler[]): void {
    this.general.push(...handlers)
    this.chains.clear()
  }

  /** The value of Allow. */
  get allow(): string {
    return [...new Set([...ownMethods, ...this.byMethod.keys()])].join(', ')
  }

  /** Gives a request to its handlers, or answers it when there are none. */
  dispatch(core: Core, incoming: IncomingRequest): void {
    const handlers = this.chainOf(incoming.method)
    if (handlers.length === 0 && incoming.method !== 'OPTIONS') this.answerUnhandled(core, incoming)
    else if (checkRequestUriScheme(incoming.message) !== undefined) incoming.answer(416)
    else if (!core.proxy.passes(incoming.method) && refuseAsEnd(core, incoming)) return
    else if (handlers.length === 0) this.answerUnhandled(core, incoming)
    else runHandlers(core, handlers, incoming, (request) => this.answerUnhandled(core, request))
  }

  /** A CANCEL or an ACK of an INVITE that was forwarded without state: to who forwards INVITEs (RFC 3261 §16.10, §16.11). */
  forwarding(core: Core, incoming: IncomingRequest): void {
    runHandlers(core, this.chainOf('INVITE'), incoming, (request) => request.answer(481))
  }

  private chainOf(method: string): readonly Handler[] {
    const known = this.chains.get(method)
    if (known !== undefined) return known
    const own = this.byMethod.get(method)
    // Methods without handlers share one chain, so that a peer cannot grow the table.
    if (own === undefined) return this.general
    const chain = [...this.general, ...own]
    this.chains.set(method, chain)
    return chain
  }

  private answerUnhandled(core: Core, incoming: IncomingRequest): void {
    const allow: HeaderInit = ['Allow', this.allow]
    if (incoming.method === 'OPTIONS') {
      incoming.answer(200, [['Accept', 'application/sdp'], ...core.capabilityHeaders()])
    } else if (this.byMethod.has(incoming.method)) incoming.answer(404)
    else incoming.answer(isKnownMethod(incoming.method) ? 405 : 501, [allow])
  }
}

/** What only the end of a request may refuse: extensions that it does not have, sessions that expire too soon. */
function refuseAsEnd(core: Core, incoming: IncomingRequest): boolean {
  if (refuseUnsupported(core, incoming) || refuseInterval(core, incoming, undefined)) return true
  return refuseReplaces(core, incoming)
}

/** Answers 420 when Require names what nobody here supports (RFC 3261 §8.2.2.3); true when that was so. */
export function refuseUnsupported(core: Core, incoming: IncomingRequest): boolean {
  const unsupported = unsupportedTags(core, incoming)
  if (unsupported.length > 0) incoming.answer(420, [['Unsupported', unsupported.join(', ')]])
  return unsupported.length > 0
}

/** Answers 422 when the session is to expire sooner than we take (RFC 4028 §9); true when that was so. */
export function refuseInterval(core: Core, incoming: IncomingRequest, session: DialogSession | undefined): boolean {
  if (incoming.method !== 'INVITE' && incoming.method !== 'UPDATE') return false
  const { message } = incoming
  const verdict = session === undefined ? judgeSession(core, message, undefined) : session.timers.judge(message)
  if (verdict.kind !== 'too-small') return false
  incoming.answer(422, [['Min-SE', verdict.minSeconds]])
  return true
}

/** What Require asks for and this stack does not have. */
function unsupportedTags(core: Core, incoming: IncomingRequest): readonly string[] {
  if (!incoming.message.has('Require')) return []
  return incoming.message.require.filter((tag) => !core.capabilities.supported.includes(tag))
}
