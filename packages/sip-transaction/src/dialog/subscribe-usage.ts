/**
 * The subscriber's side of one subscription as a table: RFC 6665 §4.1.2 (states), §4.1.2.2 (refresh), §4.1.2.3
 * (unsubscribe), §4.1.2.4 (timer N, NOTIFY before the response), §4.4.3 (fetch); RFC 3515 §2.4.4 (implicit ones).
 *
 * Pure: the owner keeps the clock, and tells what came and what is due.
 */
import { ignore, type MachineDefinition, step } from '../fsm/definition'

/** Where the subscription stands. */
export type SubscriberState =
  /** Asked for; no NOTIFY has come. */
  | 'notify-wait'
  /** A NOTIFY says that nobody has decided yet. */
  | 'pending'
  | 'active'
  /** Ended by this side, or asked to be a fetch; the last NOTIFY is still to come. */
  | 'leaving'
  /** Gone. */
  | 'terminated'

/** What can happen to it. */
export type SubscriberInput =
  | 'notify-pending'
  | 'notify-active'
  | 'notify-terminated'
  /** The request for it, first or refresh, was answered 2xx. */
  | 'accepted'
  /** It was answered with a failure that says nothing of the subscription. */
  | 'refused'
  /** It was answered with a failure that ends the subscription, or not at all. */
  | 'lost'
  | 'refresh-due'
  | 'expired'
  /** No NOTIFY came within timer N. */
  | 'no-notify'
  | 'unsubscribe'
  | 'close'

/** What the owner does about it. */
export type SubscriberAction =
  /** Answer the NOTIFY 200 and give it to the user. */
  | 'deliver'
  /** The same, and it is over. */
  | 'deliver-and-end'
  /** Set the clock by the lifetime that the 2xx grants, and wait for a NOTIFY. */
  | 'wait'
  | 'keep'
  | 'refresh'
  /** Send SUBSCRIBE with Expires 0 and wait for the last NOTIFY. */
  | 'leave'
  | 'end'

/** Every pair of state and input is decided here. */
export const subscriberDefinition: MachineDefinition<SubscriberState, SubscriberInput, SubscriberAction> = {
  name: 'subscriber',
  title: 'Subscription, subscriber',
  source: 'RFC 6665 §4.1.2, §4.4.3; RFC 3515 §2.4.4.',
  states: {
    'notify-wait': 'Asked for; no NOTIFY has come',
    pending: 'A NOTIFY says that nobody has decided yet',
    active: 'A NOTIFY says that it is active',
    leaving: 'Ended by this side, or a fetch; the last NOTIFY is still to come',
    terminated: 'Gone',
  },
  inputs: {
    'notify-pending': 'NOTIFY with Subscription-State pending',
    'notify-active': 'NOTIFY with Subscription-State active, or one that is not known',
    'notify-terminated': 'NOTIFY with Subscription-State terminated',
    accepted: 'A SUBSCRIBE (or the REFER) was answered 2xx',
    refused: 'A refresh was answered with a failure that says nothing of the subscription',
    lost: 'A SUBSCRIBE was answered with a failure that ends the subscription, or not at all (§4.1.2.2)',
    'refresh-due': 'The lifetime is nearly over',
    expired: 'The lifetime is over',
    'no-notify': 'Timer N: no NOTIFY within 64*T1 (§4.1.2.4)',
    unsubscribe: 'The user wants no more of it',
    close: 'The owner forgets it',
  },
  actions: {
    deliver: 'Answer 200 and give the NOTIFY to the user',
    'deliver-and-end': 'Answer 200 and give the NOTIFY to the user; over',
    wait: 'Keep the lifetime granted, and start timer N',
    keep: 'Keep the lifetime granted or, after a failure, the one there was',
    refresh: 'Send SUBSCRIBE with the lifetime wanted',
    leave: 'Send SUBSCRIBE with Expires 0, start timer N',
    end: 'Over',
  },
  start: step('notify-wait', 'wait'),
  final: 'terminated',
  table: {
    'notify-wait': {
      'notify-pending': step('pending', 'deliver'),
      'notify-active': step('active', 'deliver'),
      'notify-terminated': step('terminated', 'deliver-and-end'),
      accepted: step('notify-wait', 'wait'),
      refused: step('terminated', 'end'),
      lost: step('terminated', 'end'),
      'refresh-due': step('notify-wait', 'refresh'),
      expired: step('terminated', 'end'),
      'no-notify': step('terminated', 'end'),
      unsubscribe: step('leaving', 'leave'),
      close: step('terminated', 'end'),
    },
    pending: {
      'notify-pending': step('pending', 'deliver'),
      'notify-active': step('active', 'deliver'),
      'notify-terminated': step('terminated', 'deliver-and-end'),
      accepted: step('pending', 'keep'),
      refused: step('pending', 'keep'),
      lost: step('terminated', 'end'),
      'refresh-due': step('pending', 'refresh'),
      expired: step('terminated', 'end'),
      'no-notify': ignore,
      unsubscribe: step('leaving', 'leave'),
      close: step('terminated', 'end'),
    },
    active: {
      'notify-pending': step('pending', 'deliver'),
      'notify-active': step('active', 'deliver'),
      'notify-terminated': step('terminated', 'deliver-and-end'),
      accepted: step('active', 'keep'),
      refused: step('active', 'keep'),
      lost: step('terminated', 'end'),
      'refresh-due': step('active', 'refresh'),
      expired: step('terminated', 'end'),
      'no-notify': ignore,
      unsubscribe: step('leaving', 'leave'),
      close: step('terminated', 'end'),
    },
    leaving: {
      'notify-pending': step('leaving', 'deliver'),
      'notify-active': step('leaving', 'deliver'),
      'notify-terminated': step('terminated', 'deliver-and-end'),
      accepted: step('leaving', 'wait'),
      refused: step('terminated', 'end'),
      lost: step('terminated', 'end'),
      'refresh-due': ignore,
      expired: ignore,
      'no-notify': step('terminated', 'end'),
      unsubscribe: ignore,
      close: step('terminated', 'end'),
    },
  },
}

/** Statuses to a SUBSCRIBE of ours after which the subscription is no more (RFC 6665 §4.1.2.2; 408 by RFC 5057 §5.1). */
const fatalStatuses: ReadonlySet<number> = new Set([
  404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
])

/** Whether a final response to a refresh means that the subscription is over. */
export function endsSubscription(status: number): boolean {
  return fatalStatuses.has(status)
}

/** Whether the subscriber may ask again, and when, by the reason of the end. */
export type Comeback = { readonly afterSeconds: number } | 'never'

/** RFC 6665 §4.1.3: what a reason says of another try; `retryAfter` is the parameter of that name. */
export function comebackFor(reason: string | undefined, retryAfter: number | undefined): Comeback {
  if (reason === 'rejected' || reason === 'noresource' || reason === 'invariant') return 'never'
  if (reason === 'deactivated' || reason === 'timeout') return { afterSeconds: 0 }
  return { afterSeconds: retryAfter ?? 0 }
}

/** One subscription as its subscriber sees it. */
export class SubscriberUsage {
  private current: SubscriberState = subscriberDefinition.start.next

  /** Where it stands. */
  get state(): SubscriberState {
    return this.current
  }

  /** False once it is over. */
  get isAlive(): boolean {
    return this.current !== 'terminated'
  }

  /** Takes one input and says what to do about it. */
  handle(input: SubscriberInput): SubscriberAction | 'ignore' {
    if (this.current === 'terminated') return 'ignore'
    const decision = subscriberDefinition.table[this.current][input]
    if (decision === 'ignore' || decision === 'impossible') return 'ignore'
    this.current = decision.next
    return decision.run[0] ?? 'ignore'
  }
}
