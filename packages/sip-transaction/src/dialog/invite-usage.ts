/**
 * The INVITE usage of a dialog as a table: who may send which request when, and what glare gets.
 * RFC 3261 §12.1, §13.3.1, §14 (re-INVITE and glare), §15 (BYE); RFC 5057 (usages); RFC 6026 §7.
 *
 * One table serves both roles: `send-…` is what this end does, `receive-…` what the peer did.
 */
import { ignore, type MachineDefinition, step } from '../fsm/definition'

/** Where the usage stands. */
export type UsageState =
  /** A provisional response made the dialog; the INVITE has no final response yet. */
  | 'early'
  /** We answered an INVITE with 2xx and wait for its ACK. */
  | 'awaiting-ack'
  /** As awaiting-ack, and the user wants to hang up: BYE may go only after the ACK (RFC 3261 §15). */
  | 'leaving'
  /** The peer answered our INVITE with 2xx and we owe it the ACK. */
  | 'owing-ack'
  | 'confirmed'
  /** A re-INVITE of ours waits for its final response. */
  | 'reinviting'
  /** A re-INVITE of the peer waits for our final response. */
  | 'reinvited'
  /** Over; requests that were under way may still come in. */
  | 'ended'
  /** Forgotten. */
  | 'terminated'

/** What can happen to the usage. */
export type UsageInput =
  | 'send-2xx'
  | 'send-failure'
  | 'send-ack'
  | 'send-reinvite'
  | 'send-bye'
  | 'receive-2xx'
  | 'receive-failure'
  | 'receive-ack'
  | 'receive-reinvite'
  | 'receive-bye'
  /** No ACK came within 64*T1. */
  | 'ack-lost'
  /** The peer has no dialog any more, or gives no answer, or the session has expired (RFC 5057 §5.1, RFC 4028 §10). */
  | 'dialog-lost'
  /** The owner forgets the dialog. */
  | 'close'

/** What the owner of the usage does about it. */
export type UsageAction =
  | 'proceed'
  /** The caller asked for what may not be sent now. */
  | 'refuse-local'
  /** Answer 491 Request Pending (RFC 3261 §14.2). */
  | 'refuse-glare'
  /** Answer 500 with Retry-After (RFC 3261 §14.2). */
  | 'refuse-busy'
  /** Answer 481: there is no usage any more. */
  | 'refuse-gone'
  /** Send BYE; the usage is over. */
  | 'bye'
  /** Answer the pending INVITE of the peer with 487, then send BYE; the usage is over. */
  | 'reject-and-bye'
  /** Send the ACK: the 2xx came after our BYE. */
  | 'ack'
  /** Send the ACK that is owed, then BYE; the usage is over. */
  | 'ack-and-bye'
  /** Keep the BYE until the ACK comes. */
  | 'defer-bye'
  /** Answer 200 to the BYE; the usage is over. */
  | 'answer-bye'
  /** Answer 200 to the BYE and 487 to the pending INVITE (RFC 3261 §15.1.2); the usage is over. */
  | 'answer-bye-and-reject'
  /** The usage is over; nothing is sent. */
  | 'end'

/** The whole machine: every pair of state and input is decided here. */
export const inviteUsageDefinition: MachineDefinition<UsageState, UsageInput, UsageAction> = {
  name: 'invite-usage',
  title: 'INVITE usage of a dialog',
  source: 'RFC 3261 §12.1, §13.3.1, §14, §15; RFC 5057; RFC 6026 §7.',
  states: {
    early: 'A provisional response made the dialog; the INVITE has no final response',
    'awaiting-ack': 'We answered an INVITE with 2xx; its ACK has not come',
    leaving: 'As awaiting-ack, and our BYE waits for the ACK (§15)',
    'owing-ack': 'The peer answered our INVITE with 2xx; we owe it the ACK',
    confirmed: 'No INVITE is under way',
    reinviting: 'A re-INVITE of ours has no final response',
    reinvited: 'A re-INVITE of the peer has no final response',
    ended: 'Over; what was under way may still come in',
    terminated: 'Forgotten',
  },
  inputs: {
    'send-2xx': 'The user accepts the INVITE of the peer',
    'send-failure': 'The user refuses the INVITE of the peer',
    'send-ack': 'The user acknowledges the 2xx of the peer',
    'send-reinvite': 'The user wants to change the session',
    'send-bye': 'The user wants to hang up',
    'receive-2xx': 'The first 2xx to our INVITE',
    'receive-failure': 'A final response above 299 to our INVITE',
    'receive-ack': 'The ACK to our 2xx',
    'receive-reinvite': 'An INVITE in the dialog',
    'receive-bye': 'A BYE in the dialog',
    'ack-lost': 'No ACK within 64*T1 (§13.3.1.4)',
    'dialog-lost':
      'A request in the dialog was answered 481, 408 or another status that ends it (RFC 5057 §5.1), or not at all ' +
      '(§12.2.1.2), or the session has expired (RFC 4028 §10)',
    close: 'The owner forgets the dialog',
  },
  actions: {
    proceed: 'Go on: the message is sent, or handed to the user',
    'refuse-local': 'Refuse the user: this may not be sent now',
    'refuse-glare': 'Answer 491 (§14.2)',
    'refuse-busy': 'Answer 500 with Retry-After (§14.2)',
    'refuse-gone': 'Answer 481',
    bye: 'Send BYE; over',
    'reject-and-bye': 'Answer the pending INVITE 487, send BYE; over',
    ack: 'Send the ACK: the 2xx came after our BYE',
    'ack-and-bye': 'Send the ACK that is owed, then BYE; over',
    'defer-bye': 'Keep the BYE until the ACK comes',
    'answer-bye': 'Answer the BYE 200; over',
    'answer-bye-and-reject': 'Answer the BYE 200 and the pending INVITE 487 (§15.1.2); over',
    end: 'Over; nothing is sent',
  },
  start: step('early', 'proceed'),
  final: 'terminated',
  table: {
    early: {
      'send-2xx': step('awaiting-ack', 'proceed'),
      'send-failure': step('ended', 'end'),
      'send-ack': ignore,
      'send-reinvite': step('early', 'refuse-local'),
      'send-bye': step('early', 'refuse-local'),
      'receive-2xx': step('owing-ack', 'proceed'),
      'receive-failure': step('ended', 'end'),
      'receive-ack': ignore,
      'receive-reinvite': step('early', 'refuse-busy'),
      'receive-bye': step('ended', 'answer-bye-and-reject'),
      'ack-lost': ignore,
      'dialog-lost': step('ended', 'end'),
      close: step('terminated', 'end'),
    },
    'awaiting-ack': {
      'send-2xx': step('awaiting-ack', 'refuse-local'),
      'send-failure': step('awaiting-ack', 'refuse-local'),
      'send-ack': ignore,
      'send-reinvite': step('awaiting-ack', 'refuse-local'),
      'send-bye': step('leaving', 'defer-bye'),
      'receive-2xx': ignore,
      'receive-failure': ignore,
      'receive-ack': step('confirmed', 'proceed'),
      'receive-reinvite': step('awaiting-ack', 'refuse-glare'),
      'receive-bye': step('ended', 'answer-bye'),
      'ack-lost': step('ended', 'bye'),
      'dialog-lost': step('ended', 'bye'),
      close: step('terminated', 'end'),
    },
    leaving: {
      'send-2xx': step('leaving', 'refuse-local'),
      'send-failure': step('leaving', 'refuse-local'),
      'send-ack': ignore,
      'send-reinvite': step('leaving', 'refuse-local'),
      'send-bye': ignore,
      'receive-2xx': ignore,
      'receive-failure': ignore,
      'receive-ack': step('ended', 'bye'),
      'receive-reinvite': step('leaving', 'refuse-busy'),
      'receive-bye': step('ended', 'answer-bye'),
      'ack-lost': step('ended', 'bye'),
      'dialog-lost': step('ended', 'bye'),
      close: step('terminated', 'end'),
    },
    'owing-ack': {
      'send-2xx': step('owing-ack', 'refuse-local'),
      'send-failure': step('owing-ack', 'refuse-local'),
      'send-ack': step('confirmed', 'proceed'),
      'send-reinvite': step('owing-ack', 'refuse-local'),
      'send-bye': step('ended', 'ack-and-bye'),
      'receive-2xx': ignore,
      'receive-failure': ignore,
      'receive-ack': ignore,
      'receive-reinvite': step('owing-ack', 'refuse-glare'),
      'receive-bye': step('ended', 'answer-bye'),
      'ack-lost': ignore,
      'dialog-lost': step('ended', 'ack-and-bye'),
      close: step('terminated', 'end'),
    },
    confirmed: {
      'send-2xx': step('confirmed', 'refuse-local'),
      'send-failure': step('confirmed', 'refuse-local'),
      'send-ack': ignore,
      'send-reinvite': step('reinviting', 'proceed'),
      'send-bye': step('ended', 'bye'),
      'receive-2xx': ignore,
      'receive-failure': ignore,
      'receive-ack': ignore,
      'receive-reinvite': step('reinvited', 'proceed'),
      'receive-bye': step('ended', 'answer-bye'),
      'ack-lost': step('ended', 'bye'),
      'dialog-lost': step('ended', 'bye'),
      close: step('terminated', 'end'),
    },
    reinviting: {
      'send-2xx': step('reinviting', 'refuse-local'),
      'send-failure': step('reinviting', 'refuse-local'),
      'send-ack': ignore,
      'send-reinvite': step('reinviting', 'refuse-local'),
      'send-bye': step('ended', 'bye'),
      'receive-2xx': step('owing-ack', 'proceed'),
      'receive-failure': step('confirmed', 'proceed'),
      'receive-ack': ignore,
      'receive-reinvite': step('reinviting', 'refuse-glare'),
      'receive-bye': step('ended', 'answer-bye'),
      'ack-lost': step('ended', 'bye'),
      'dialog-lost': step('ended', 'bye'),
      close: step('terminated', 'end'),
    },
    reinvited: {
      'send-2xx': step('awaiting-ack', 'proceed'),
      'send-failure': step('confirmed', 'proceed'),
      'send-ack': ignore,
      'send-reinvite': step('reinvited', 'refuse-local'),
      'send-bye': step('ended', 'reject-and-bye'),
      'receive-2xx': ignore,
      'receive-failure': ignore,
      'receive-ack': ignore,
      'receive-reinvite': step('reinvited', 'refuse-busy'),
      'receive-bye': step('ended', 'answer-bye-and-reject'),
      'ack-lost': ignore,
      'dialog-lost': step('ended', 'reject-and-bye'),
      close: step('terminated', 'end'),
    },
    ended: {
      'send-2xx': step('ended', 'refuse-local'),
      'send-failure': ignore,
      'send-ack': ignore,
      'send-reinvite': step('ended', 'refuse-local'),
      'send-bye': ignore,
      'receive-2xx': step('ended', 'ack'),
      'receive-failure': ignore,
      'receive-ack': ignore,
      'receive-reinvite': step('ended', 'refuse-gone'),
      'receive-bye': step('ended', 'answer-bye'),
      'ack-lost': ignore,
      'dialog-lost': ignore,
      close: step('terminated', 'end'),
    },
  },
}

/** Statuses of any response in a dialog after which it is no more (RFC 3261 §12.2.1.2). */
const lostStatuses: ReadonlySet<number> = new Set([408, 481])

/** The same for the requests of its INVITE usage (RFC 5057 §5.1), where they leave no doubt about what they end. */
const lostUsageStatuses: ReadonlySet<number> = new Set([404, 408, 410, 416, 480, 481, 482, 483, 484, 485, 502, 604])

/**
 * Whether the failure of a request says nothing of the call: without an answer to a PRACK the INVITE has its own end (RFC
 * 3262 §4), and NOTIFY is of a subscription that shares the dialog (RFC 5057 §4.1).
 */
export function hasOwnEnd(method: string): boolean {
  return method === 'PRACK' || method === 'NOTIFY'
}

/** Whether a final response to a request in the dialog means that the dialog is lost. */
export function endsDialog(method: string, status: number): boolean {
  if (hasOwnEnd(method)) return false
  const statuses = method === 'INVITE' || method === 'UPDATE' ? lostUsageStatuses : lostStatuses
  return statuses.has(status)
}

/** The usage of one dialog: a state, moved by {@link inviteUsageDefinition}. */
export class InviteUsage {
  private current: UsageState

  constructor(start: 'early' | 'confirmed' = 'early') {
    this.current = start
  }

  /** Where the usage stands. */
  get state(): UsageState {
    return this.current
  }

  /** True until the call is over. */
  get isAlive(): boolean {
    return this.current !== 'ended' && this.current !== 'terminated'
  }

  /** Takes one input and says what to do about it. */
  handle(input: UsageInput): UsageAction | 'ignore' {
    if (this.current === 'terminated') return 'ignore'
    const decision = inviteUsageDefinition.table[this.current][input]
    if (decision === 'ignore' || decision === 'impossible') return 'ignore'
    this.current = decision.next
    return decision.run[0] ?? 'ignore'
  }
}
