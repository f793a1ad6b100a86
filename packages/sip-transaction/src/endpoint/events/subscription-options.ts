/** What a user says of a subscription of its own, and hears of it: RFC 6665 §4.1. */
import type { SipRequest } from '@carillon/sip-parser'
import type { EventPackage } from '../../events/event-package'
import type { ReferProgress } from '../../events/packages/refer'
import type { OutgoingInit } from '../options'

/** Options of `SipStack.subscribe`. */
export interface SubscribeOptions<State> extends Omit<OutgoingInit, 'callId' | 'cseq' | 'timeoutMs'> {
  readonly event: EventPackage<State>
  /** The id parameter of Event, where several subscriptions share a dialog. */
  readonly id?: string
  /** The lifetime to ask for, in seconds; default that of the package. 0 fetches the state once (RFC 6665 §4.4.3). */
  readonly expiresSeconds?: number
  /** Types for Accept in place of the package's. */
  readonly accept?: readonly string[]
  /** Told of each notification; without it they wait for whoever iterates over the subscription. */
  readonly onNotify?: (notification: Notification<State>) => void
  /** False to let it end when it is lost or the notifier ends it; by default it is made anew where that makes sense. */
  readonly resubscribe?: boolean
}

/** Options of `SipStack.refer`. */
export type ReferOptions = Omit<
  SubscribeOptions<ReferProgress>,
  'event' | 'id' | 'expiresSeconds' | 'accept' | 'resubscribe'
>

/** One NOTIFY. */
export interface Notification<State> {
  /** The whole state as known now; undefined when the notifier has told none yet. */
  readonly state: State | undefined
  /** What the notifier says of the subscription. */
  readonly subscription: 'pending' | 'active' | 'terminated'
  /** Why it was terminated, as the notifier says. */
  readonly reason: string | undefined
  /** The notifier's tag: tells forks apart. */
  readonly notifier: string
  /** Why the body could not be read; `state` is then the one before. */
  readonly problem: string | undefined
  readonly request: SipRequest
}

/** How a subscription of ours ended. */
export interface SubscriptionEnd {
  readonly by: 'local' | 'remote' | 'timeout' | 'transport'
  /** The notifier's reason (RFC 6665 §4.1.3), or a few words of ours. */
  readonly reason?: string | undefined
  /** The status that ended it. */
  readonly status?: number | undefined
}
