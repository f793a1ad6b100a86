/**
 * How bridges begin: for an INVITE that came in, and between two parties that we call or have called: RFC 3725 §4.1 (flow
 * I), §4.4 (flow IV). An INVITE that replaces a side of a bridge takes its place (RFC 3891 §3).
 */
import { NameAddr, SipUri } from '@carillon/sip-parser'
import { CallFailedError, SipTransactionError, SipUsageError } from '../../errors'
import { Call } from '../calls/call'
import { OutgoingInvite } from '../calls/outgoing-invite'
import { replacedSession } from '../calls/replaces'
import { sdpOf } from '../calls/session-body'
import type { Core } from '../core'
import type { IncomingRequest } from '../requests/incoming-request'
import { readAddress } from '../requests/outgoing'
import { Bridge } from './bridge'
import { branchSpec, ownHost } from './bridge-branch'
import { JoinedCallee } from './bridge-callee'
import { IncomingCaller } from './bridge-caller'
import { ReplacingInvite } from './bridge-changes'
import { type EstablishedCall, EstablishedCaller } from './bridge-established-caller'
import { type CalleeFactory, Invitations } from './bridge-invitations'
import { BridgeLeg } from './bridge-leg'
import type { BridgeOptions, BridgeTarget } from './bridge-options'
import { allowOf } from './bridge-relay'
import { BridgeRunner } from './bridge-runner'

/** Somebody to connect: a place to call, or a call that is up. */
export type ConnectParty = string | SipUri | BridgeTarget | Call

/** Options of `SipStack.connect`. */
export interface ConnectOptions extends BridgeOptions {
  /**
   * How the first party, when it has to be called, hears of the second one's media. `IV`, the default: it is called with a
   * description without media, and gets the media when the second one has answered; whatever time that takes. `I`: it is
   * asked for its offer, and its answer waits until the second one has answered: for one that answers at once.
   */
  readonly flow?: 'I' | 'IV'
  /** Told of each provisional response of the first party. */
  readonly onRinging?: (status: number) => void
}

/**
 * Starts a bridge for an INVITE.
 * @throws SipUsageError TARGETS_MISSING, TARGET_INVALID
 */
export function startBridge(
  core: Core,
  incoming: IncomingRequest,
  targets: readonly (BridgeTarget | string)[],
  options: BridgeOptions,
): Bridge {
  const replaced = replacedSession(core, incoming.message)?.owner
  if (replaced instanceof BridgeLeg && replaced.bridge !== undefined) return takePlace(replaced, incoming)
  const { message, from } = incoming
  const invitations = new Invitations(core, { from, message }, options)
  const factories = invitations.to(targets.map(targetOf))
  const caller = new IncomingCaller(core, incoming, allowOf(options))
  const runner = new BridgeRunner(core, caller, incoming.callId, factories, options, invitations)
  core.submit(() => runner.start())
  return new Bridge(runner)
}

/**
 * Connects two parties (third party call control); see `SipStack.connect`.
 * @throws as the promise of `SipStack.connect`
 */
export async function connectParties(
  core: Core,
  first: ConnectParty,
  second: ConnectParty | readonly (string | BridgeTarget)[],
  options: ConnectOptions,
): Promise<Bridge> {
  const from = readAddress(options.from ?? fromOf(core, first), 'From')
  const invitations = new Invitations(core, { from: from.withParam('tag', undefined), message: undefined }, options)
  const factories = calleesOf(second, invitations)
  if (first instanceof Call && isSameCall(first, second)) throw new SipUsageError('SAME_CALL')
  const established = first instanceof Call ? callOf(first) : await callFirst(core, targetOf(first), second, options)
  return new Promise((resolve, reject) => {
    core.submit(() => {
      const { session } = established
      if (!session.isAlive) {
        reject(new SipTransactionError('CALL_ENDED'))
        return
      }
      const runner = new BridgeRunner(
        core,
        new EstablishedCaller(established),
        session.dialog.callId,
        factories,
        options,
        invitations,
      )
      session.allow = allowOf(options)
      runner.start()
      resolve(new Bridge(runner))
    })
  })
}

function takePlace(leg: BridgeLeg, incoming: IncomingRequest): Bridge {
  const bridge = leg.bridge!
  const { core } = bridge
  incoming.dialogAllow = allowOf(bridge.options)
  core.submit(() => {
    const change = new ReplacingInvite(bridge, leg.side, incoming, new BridgeLeg(bridge, leg.side, undefined))
    const request = bridge.request(leg.side, change, 'INVITE', sdpOf(incoming.message))
    incoming.onAbandoned = () => bridge.abandon(request)
  })
  return new Bridge(bridge)
}

function calleesOf(
  second: ConnectParty | readonly (string | BridgeTarget)[],
  invitations: Invitations,
): CalleeFactory[] {
  if (second instanceof Call) {
    const { session } = callOf(second)
    return [(user) => new JoinedCallee(session, second, user)]
  }
  return invitations.to((isList(second) ? second : [second]).map(targetOf))
}

/** Both sides would be one call, or the two ends of one: its media would go round in a circle. */
function isSameCall(one: Call, other: unknown): boolean {
  if (!(other instanceof Call)) return false
  return one === other || (one.callId === other.callId && one.localTag === other.remoteTag)
}

/** @throws SipTransactionError CALL_ENDED; SipUsageError ALREADY_BRIDGED */
function callOf(call: Call): EstablishedCall & { readonly call: Call } {
  const { dialogSession: session } = call
  if (session === undefined || !session.isAlive) throw new SipTransactionError('CALL_ENDED')
  if (session.owner !== call) throw new SipUsageError('ALREADY_BRIDGED')
  return { session, call, owed: undefined }
}

/** Calls the first party, and resolves when it has answered. */
function callFirst(
  core: Core,
  target: BridgeTarget,
  second: unknown,
  options: ConnectOptions,
): Promise<EstablishedCall> {
  const { flow = 'IV', signal } = options
  const from = readAddress(options.from ?? fromOf(core, second), 'From').withParam('tag', undefined)
  const { to: _, ...rest } = options
  const spec = branchSpec(core, { from, message: undefined }, target, { ...rest, from }, 1)
  const body = flow === 'I' ? undefined : withoutMedia(core)
  return new Promise((resolve, reject) => {
    if (signal?.aborted || core.isClosing) {
      reject(new SipTransactionError(signal?.aborted ? 'ABORTED' : 'STACK_CLOSED'))
      return
    }
    const settle = (act: () => void) => {
      signal?.removeEventListener('abort', abort)
      late.cancel()
      act()
    }
    const giveUp = (code: 'ABORTED' | 'TIMEOUT') => {
      settle(() => reject(new SipTransactionError(code)))
      core.submit(() => invite.cancel())
    }
    const abort = () => giveUp('ABORTED')
    const ringMs = options.ringTimeoutMs ?? core.limits.ringTimeoutMs
    const late = core.driver.at(core.driver.nowMs + ringMs, () => giveUp('TIMEOUT'))
    const contentType = body === undefined ? undefined : 'application/sdp'
    const invite = new OutgoingInvite(
      core,
      { ...spec, body, contentType },
      {
        progress: ({ status }) => options.onRinging?.(status),
        accepted: (session, response, request) =>
          settle(() => {
            const offer = sdpOf(response)
            const isOwed = flow === 'I' && offer !== undefined
            if (isOwed) session.onAckWanted = () => session.ack(request)
            else session.ack(request)
            if (flow === 'I' && offer === undefined) {
              session.bye('no offer')
              reject(new CallFailedError(488, response))
            } else resolve({ session, call: undefined, owed: isOwed ? { invite: request, offer } : undefined })
          }),
        failed: (response) => settle(() => reject(new CallFailedError(response.status, response))),
        error: (code) => settle(() => reject(new SipTransactionError(code))),
      },
    )
    signal?.addEventListener('abort', abort, { once: true })
    core.submit(() => invite.start())
  })
}

/** A description without media (RFC 3725 §4.4). */
function withoutMedia(core: Core): Uint8Array {
  const host = ownHost(core)
  const family = host.includes(':') ? 'IP6' : 'IP4'
  const id = Math.floor(core.random.fraction() * 2 ** 31)
  return Buffer.from(`v=0\r\no=- ${id} 1 IN ${family} ${host}\r\ns=-\r\nc=IN ${family} ${host}\r\nt=0 0\r\n`)
}

/** Whom the other party sees as its caller. */
function fromOf(core: Core, party: unknown): NameAddr | string {
  if (party instanceof Call) return party.remote.withParam('tag', undefined)
  if (isList(party) || party === undefined) return core.egress.defaultFrom()
  return NameAddr.of({
    uri: readAddress(`<${String(targetOf(party as string | SipUri | BridgeTarget).uri)}>`, 'target').uri,
  })
}

function targetOf(party: string | SipUri | BridgeTarget): BridgeTarget {
  return typeof party === 'string' || party instanceof SipUri ? { uri: party } : party
}

function isList(party: unknown): party is readonly (string | BridgeTarget)[] {
  return Array.isArray(party)
}
