/**
 * One flow of a registration, as the side that registers: RFC 3261 §10.2 (one REGISTER at a time, refreshed before it
 * expires, 423), RFC 5626 §4.2 and §4.5 (a flow that fails is formed anew, later and later). Pure.
 */
import { ignore, impossible, type MachineDefinition, step } from '../fsm/definition'

/** Where a flow stands. */
export type RegistrationState =
  | 'registering'
  | 'registered'
  | 'refreshing'
  | 'waiting'
  | 'refused'
  | 'stopping'
  | 'leaving'
  | 'terminated'

/** What can happen. */
export type RegistrationInput =
  | 'accepted'
  | 'adjust'
  | 'refused'
  | 'failed'
  | 'lost'
  | 'due'
  | 'refresh'
  | 'leave'
  | 'stop'

/** What is done about it. */
export type RegistrationAction = 'send' | 'hold' | 'retry-later' | 'rest' | 'remove' | 'done'

/** The table of one flow. */
export const registrationDefinition: MachineDefinition<RegistrationState, RegistrationInput, RegistrationAction> = {
  name: 'registration',
  title: 'Registration, one flow of it',
  source:
    'RFC 3261 §10.2, RFC 5626 §4.2 to §4.5. No REGISTER is sent while another one has no final response (RFC 3261 §10.2).',
  states: {
    registering: 'A REGISTER is out, and nothing is bound as far as we know',
    registered: 'The contact is bound',
    refreshing: 'The contact is bound, and a REGISTER is out',
    waiting: 'The last REGISTER failed, or the flow broke; there will be another one',
    refused: 'The registrar will have none of it; nothing happens by itself',
    stopping: 'A REGISTER is out, and the user wants no more of it',
    leaving: 'A REGISTER that removes the contact is out',
    terminated: 'It is over',
  },
  inputs: {
    accepted: '2xx',
    adjust: '423 or 439, and there is something that can be changed',
    refused: 'Another final response that trying again would not change',
    failed: 'No final response, or one that may be another next time',
    lost: 'The connection is gone, or the keep-alive says that the way is',
    due: 'The time for the next REGISTER has come',
    refresh: 'The user wants it refreshed now',
    leave: 'The user wants it removed, and it may be bound',
    stop: 'The user wants it removed, and it is not bound',
  },
  actions: {
    send: 'Send REGISTER',
    hold: 'Start the timer of the refresh',
    'retry-later': 'Start the timer of the next attempt',
    rest: 'Stop the timer and tell the user',
    remove: 'Send REGISTER with Expires 0',
    done: 'Tell the user that it is over',
  },
  start: step('registering', 'send'),
  final: 'terminated',
  table: {
    registering: {
      accepted: step('registered', 'hold'),
      adjust: step('registering', 'send'),
      refused: step('refused', 'rest'),
      failed: step('waiting', 'retry-later'),
      lost: ignore,
      due: impossible,
      refresh: ignore,
      leave: step('stopping'),
      stop: step('stopping'),
    },
    registered: {
      accepted: impossible,
      adjust: impossible,
      refused: impossible,
      failed: impossible,
      lost: step('waiting', 'retry-later'),
      due: step('refreshing', 'send'),
      refresh: step('refreshing', 'send'),
      leave: step('leaving', 'remove'),
      stop: step('terminated', 'done'),
    },
    refreshing: {
      accepted: step('registered', 'hold'),
      adjust: step('refreshing', 'send'),
      refused: step('refused', 'rest'),
      failed: step('waiting', 'retry-later'),
      lost: ignore,
      due: impossible,
      refresh: ignore,
      leave: step('stopping'),
      stop: step('stopping'),
    },
    waiting: {
      accepted: impossible,
      adjust: impossible,
      refused: impossible,
      failed: impossible,
      lost: ignore,
      due: step('registering', 'send'),
      refresh: step('registering', 'send'),
      leave: step('leaving', 'remove'),
      stop: step('terminated', 'done'),
    },
    refused: {
      accepted: impossible,
      adjust: impossible,
      refused: impossible,
      failed: impossible,
      lost: ignore,
      due: impossible,
      refresh: step('registering', 'send'),
      leave: step('leaving', 'remove'),
      stop: step('terminated', 'done'),
    },
    stopping: {
      accepted: step('leaving', 'remove'),
      adjust: step('terminated', 'done'),
      refused: step('terminated', 'done'),
      failed: step('terminated', 'done'),
      lost: ignore,
      due: impossible,
      refresh: ignore,
      leave: ignore,
      stop: ignore,
    },
    leaving: {
      accepted: step('terminated', 'done'),
      adjust: step('terminated', 'done'),
      refused: step('terminated', 'done'),
      failed: step('terminated', 'done'),
      lost: ignore,
      due: impossible,
      refresh: ignore,
      leave: ignore,
      stop: ignore,
    },
  },
}

/** Steps a flow. @returns what is to be done, undefined for nothing */
export function stepRegistration(
  state: RegistrationState,
  input: RegistrationInput,
): { readonly next: RegistrationState; readonly action: RegistrationAction | undefined } {
  if (state === 'terminated') return { next: state, action: undefined }
  const decision = registrationDefinition.table[state][input]
  if (typeof decision === 'string') return { next: state, action: undefined }
  return { next: decision.next, action: decision.run[0] }
}
