/**
 * The notifier's side of one subscription as a table: RFC 6665 §4.2.1 (SUBSCRIBE in), §4.2.2 (NOTIFY out), §4.4.1;
 * RFC 3515 §2.4.4 (the subscription that a REFER makes).
 *
 * One NOTIFY is under way at a time, so that none overtakes another: what changes meanwhile goes out when it has been
 * answered, the newest state only. Pure: the owner keeps the clock.
 */
import { ignore, type MachineDefinition, step } from '../fsm/definition'

/** Where the subscription stands. */
export type NotifierState =
  /** No NOTIFY is under way. */
  | 'idle'
  /** A NOTIFY waits for its answer. */
  | 'notifying'
  /** The same, and there is news. */
  | 'stale'
  /** A NOTIFY waits for its answer; the last one is to follow. */
  | 'ending'
  /** The last NOTIFY waits for its answer. */
  | 'last'
  /** Gone. */
  | 'terminated'

/** What can happen to it. */
export type NotifierInput =
  /** The state has changed, or the subscriber wants to hear it (SUBSCRIBE). */
  | 'notify'
  /** Its end: by the user, by Expires 0, by its lifetime. */
  | 'finish'
  | 'notify-accepted'
  /** A failure that says nothing of the subscription. */
  | 'notify-refused'
  /** 481 and the like, or no answer. */
  | 'notify-lost'
  | 'close'

/** What the owner does about it. */
export type NotifierAction =
  | 'send'
  /** Send the NOTIFY with Subscription-State terminated; it is over for the user. */
  | 'send-last'
  /** It is over for the user; the last NOTIFY follows. */
  | 'finish'
  | 'end'
  | 'hold'

/** Every pair of state and input is decided here. */
export const notifierDefinition: MachineDefinition<NotifierState, NotifierInput, NotifierAction> = {
  name: 'notifier',
  title: 'Subscription, notifier',
  source: 'RFC 6665 §4.2; RFC 3515 §2.4.4. One NOTIFY at a time goes further than the RFC asks.',
  states: {
    idle: 'No NOTIFY is under way',
    notifying: 'A NOTIFY waits for its answer',
    stale: 'A NOTIFY waits for its answer, and there is news',
    ending: 'A NOTIFY waits for its answer; the last one is to follow',
    last: 'The last NOTIFY waits for its answer',
    terminated: 'Gone',
  },
  inputs: {
    notify: 'The state has changed, or a SUBSCRIBE asks for it',
    finish: 'The user ends it, the subscriber does (Expires 0), or its lifetime is over',
    'notify-accepted': 'The NOTIFY was answered 2xx',
    'notify-refused': 'It was answered with a failure that says nothing of the subscription',
    'notify-lost': 'It was answered 481 or the like, or not at all (§4.2.2)',
    close: 'The owner forgets it',
  },
  actions: {
    send: 'Send NOTIFY with the newest state',
    'send-last': 'Send NOTIFY with the newest state and terminated',
    finish: 'Over for the user; the last NOTIFY waits for the one under way',
    end: 'Over',
    hold: 'Nothing more to send now',
  },
  start: step('idle', 'hold'),
  final: 'terminated',
  table: {
    idle: {
      notify: step('notifying', 'send'),
      finish: step('last', 'send-last'),
      'notify-accepted': ignore,
      'notify-refused': ignore,
      'notify-lost': ignore,
      close: step('terminated', 'end'),
    },
    notifying: {
      notify: step('stale', 'hold'),
      finish: step('ending', 'finish'),
      'notify-accepted': step('idle', 'hold'),
      'notify-refused': step('idle', 'hold'),
      'notify-lost': step('terminated', 'end'),
      close: step('terminated', 'end'),
    },
    stale: {
      notify: ignore,
      finish: step('ending', 'finish'),
      'notify-accepted': step('notifying', 'send'),
      'notify-refused': step('notifying', 'send'),
      'notify-lost': step('terminated', 'end'),
      close: step('terminated', 'end'),
    },
    ending: {
      notify: ignore,
      finish: ignore,
      'notify-accepted': step('last', 'send-last'),
      'notify-refused': step('last', 'send-last'),
      'notify-lost': step('terminated', 'end'),
      close: step('terminated', 'end'),
    },
    last: {
      notify: ignore,
      finish: ignore,
      'notify-accepted': step('terminated', 'end'),
      'notify-refused': step('terminated', 'end'),
      'notify-lost': step('terminated', 'end'),
      close: step('terminated', 'end'),
    },
  },
}

/** Statuses to a NOTIFY after which the subscription is no more (RFC 6665 §4.2.2, RFC 5057 §5.1). */
const fatalStatuses: ReadonlySet<number> = new Set([
  404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
])

/** Whether a final response to a NOTIFY means that the subscriber is gone. */
export function endsNotifier(status: number): boolean {
  return fatalStatuses.has(status)
}

/** One subscription as its notifier sees it. */
export class NotifierUsage {
  private current: NotifierState = notifierDefinition.start.next

  /** Where it stands. */
  get state(): NotifierState {
    return this.current
  }

  /** Takes one input and says what to do about it. */
  handle(input: NotifierInput): NotifierAction | 'ignore' {
    if (this.current === 'terminated') return 'ignore'
    const decision = notifierDefinition.table[this.current][input]
    if (decision === 'ignore' || decision === 'impossible') return 'ignore'
    this.current = decision.next
    return decision.run[0] ?? 'ignore'
  }
}
