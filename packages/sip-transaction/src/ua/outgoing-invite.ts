/**
 * The asking side of an INVITE, above its transaction: RFC 3261 §13.2.2 (responses, forks), §9.1 and §15 (a 2xx that
 * crosses CANCEL is ACKed and ended with BYE).
 */
import { ignore, type MachineDefinition, step } from '../fsm/definition'

/** Where the INVITE stands. */
export type OutgoingInviteState = 'calling' | 'proceeding' | 'cancelling' | 'answered' | 'over' | 'terminated'

/** What can happen to it. */
export type OutgoingInviteInput = 'provisional' | 'success' | 'failure' | 'error' | 'cancel' | 'gone'

/** What its owner does about it. */
export type OutgoingInviteAction =
  | 'report-progress'
  | 'report-answer'
  | 'report-failure'
  | 'report-error'
  | 'send-cancel'
  | 'end-dialog'
  | 'forget'

/** The whole machine. */
export const outgoingInviteDefinition: MachineDefinition<
  OutgoingInviteState,
  OutgoingInviteInput,
  OutgoingInviteAction
> = {
  name: 'outgoing-invite',
  title: 'Outgoing INVITE',
  source: 'RFC 3261 §9.1, §13.2.2, §15.',
  states: {
    calling: 'The INVITE has been sent, or waits for its destination',
    proceeding: 'A provisional response has come',
    cancelling: 'The user has given up; the final response is still to come',
    answered: 'A 2xx has made the call',
    over: 'It failed, or ended after CANCEL',
    terminated: 'Forgotten',
  },
  inputs: {
    provisional: 'A provisional response but 100',
    success: 'The first 2xx of a dialog',
    failure: 'A final response above 299',
    error: 'No final response, or nothing could be sent',
    cancel: 'The user gives up',
    gone: 'The transaction is gone',
  },
  actions: {
    'report-progress': 'Tell the user',
    'report-answer': 'Hand the dialog to the user, who acknowledges the 2xx',
    'report-failure': 'Tell the user the status',
    'report-error': 'Tell the user what went wrong',
    'send-cancel': 'Cancel the transaction',
    'end-dialog': 'ACK the 2xx, then BYE: nobody wants this dialog',
    forget: 'Let go of the early dialogs',
  },
  start: step('calling'),
  final: 'terminated',
  table: {
    calling: {
      provisional: step('proceeding', 'report-progress'),
      success: step('answered', 'report-answer'),
      failure: step('over', 'report-failure'),
      error: step('over', 'report-error'),
      cancel: step('cancelling', 'send-cancel'),
      gone: step('terminated', 'forget'),
    },
    proceeding: {
      provisional: step('proceeding', 'report-progress'),
      success: step('answered', 'report-answer'),
      failure: step('over', 'report-failure'),
      error: step('over', 'report-error'),
      cancel: step('cancelling', 'send-cancel'),
      gone: step('terminated', 'forget'),
    },
    cancelling: {
      provisional: ignore,
      success: step('over', 'end-dialog'),
      failure: step('over', 'forget'),
      error: step('over', 'forget'),
      cancel: ignore,
      gone: step('terminated', 'forget'),
    },
    answered: {
      provisional: ignore,
      success: step('answered', 'end-dialog'),
      failure: ignore,
      error: ignore,
      cancel: ignore,
      gone: step('terminated', 'forget'),
    },
    over: {
      provisional: ignore,
      success: step('over', 'end-dialog'),
      failure: ignore,
      error: ignore,
      cancel: ignore,
      gone: step('terminated', 'forget'),
    },
  },
}

/** One outgoing INVITE: a state, moved by {@link outgoingInviteDefinition}. */
export class OutgoingInviteMachine {
  private current: OutgoingInviteState = 'calling'

  get state(): OutgoingInviteState {
    return this.current
  }

  /** Takes one input and says what to do about it. */
  handle(input: OutgoingInviteInput): OutgoingInviteAction | 'ignore' {
    if (this.current === 'terminated') return 'ignore'
    const decision = outgoingInviteDefinition.table[this.current][input]
    if (decision === 'ignore' || decision === 'impossible') return 'ignore'
    this.current = decision.next
    return decision.run[0] ?? 'ignore'
  }
}
