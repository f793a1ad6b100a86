/** Non-INVITE server transaction (RFC 3261 §17.2.2, RFC 4320 §4). */
import { ignore, impossible, type MachineDefinition, step } from '../fsm/definition'
import { compileMachine, type Machine } from '../fsm/machine'
import * as act from './context'
import type { Transaction } from './transaction'

type State = 'trying' | 'proceeding' | 'completed' | 'terminated'

type Input =
  | 'request'
  | 'tuTrying'
  | 'tuFinal'
  | 'tuTimeout'
  | 'timerTrying'
  | 'timerUnanswered'
  | 'timerJ'
  | 'transportError'

type Action =
  | 'pass-request'
  | 'send-trying'
  | 'send-response'
  | 'resend'
  | 'fail-timeout'
  | 'fail-transport'
  | 'start-trying'
  | 'start-unanswered'
  | 'start-J'
  | 'stop-trying'
  | 'stop-timers'
  | 'finish'
  | 'end'

const onFinal = step<State, Action>('completed', 'stop-timers', 'send-response', 'finish', 'start-J')
const onUnanswered = step<State, Action>('terminated', 'fail-timeout', 'end')
const onLingered = step<State, Action>('terminated', 'end')

/** The table of the non-INVITE server transaction. */
export const nonInviteServerDefinition: MachineDefinition<State, Input, Action> = {
  name: 'non-invite-server',
  title: 'Non-INVITE server transaction',
  source:
    'RFC 3261 §17.2.2, RFC 4320 §4: no provisional response but 100, and that no earlier than timer E of the client ' +
    'stands at T2 (unless the transport is reliable); no 408. A TU that does not answer within 64·T1 has missed its ' +
    'chance: the client has given up, so the transaction ends in silence.',
  states: {
    trying: 'The TU has the request; nothing has been answered yet.',
    proceeding: '100 has been sent.',
    completed: 'The final response has been sent; retransmissions of the request get it again.',
    terminated: 'Gone.',
  },
  inputs: {
    request: 'The request has been retransmitted.',
    tuTrying: 'The TU answers 100 at a time when it may.',
    tuFinal: 'The TU answers 200–699, but not 408.',
    tuTimeout: 'The TU answers 408.',
    timerTrying: 'The TU has been silent until timer E of the client stood at T2.',
    timerUnanswered: 'The TU has not answered for 64·T1.',
    timerJ: 'No more retransmissions of the request are expected.',
    transportError: 'A response could not be sent.',
  },
  actions: {
    'pass-request': 'Pass the request to the TU.',
    'send-trying': 'Send 100 Trying.',
    'send-response': "Send the TU's response and keep it as the last one.",
    resend: 'Send the last response again.',
    'fail-timeout': 'Tell the TU that it is too late to answer.',
    'fail-transport': 'Tell the TU that its final response could not be sent.',
    'start-trying': 'Start the time before 100.',
    'start-unanswered': 'Start the time that the TU has to answer.',
    'start-J': 'Start timer J; zero on reliable transports.',
    'stop-trying': 'Stop the time before 100.',
    'stop-timers': 'Stop all timers.',
    finish: 'Keep only key, last bytes and the way back.',
    end: 'Let the transaction go and tell the TU.',
  },
  start: step('trying', 'pass-request', 'start-trying', 'start-unanswered'),
  final: 'terminated',
  table: {
    trying: {
      request: ignore,
      tuTrying: step('proceeding', 'stop-trying', 'send-response'),
      tuFinal: onFinal,
      tuTimeout: onLingered,
      timerTrying: step('proceeding', 'send-trying'),
      timerUnanswered: onUnanswered,
      timerJ: impossible,
      transportError: ignore,
    },
    proceeding: {
      request: step('proceeding', 'resend'),
      tuTrying: step('proceeding', 'send-response'),
      tuFinal: onFinal,
      tuTimeout: onLingered,
      timerTrying: impossible,
      timerUnanswered: onUnanswered,
      timerJ: impossible,
      transportError: ignore,
    },
    completed: {
      request: step('completed', 'resend'),
      tuTrying: ignore,
      tuFinal: ignore,
      tuTimeout: ignore,
      timerTrying: impossible,
      timerUnanswered: impossible,
      timerJ: onLingered,
      transportError: step('terminated', 'fail-transport', 'end'),
    },
  },
}

/** Runs non-INVITE server transactions. */
export const nonInviteServerMachine: Machine<Transaction, act.TransactionContext> = compileMachine<
  State,
  Input,
  Action,
  Transaction,
  act.TransactionContext
>(nonInviteServerDefinition, {
  'pass-request': act.passRequest,
  'send-trying': act.sendTrying,
  'send-response': act.sendResponse,
  resend: act.sendBytes,
  'fail-timeout': act.fail('timeout'),
  'fail-transport': act.fail('transport'),
  'start-trying': (transaction, context) =>
    act.startRetryTimer(transaction, context, 'timerTrying', context.timers.nonInviteTrying),
  'start-unanswered': (transaction, context) =>
    act.startLimit(transaction, context, 'timerUnanswered', context.timers.unanswered),
  'start-J': (transaction, context) => act.startLinger(transaction, context, 'timerJ', context.timers.J),
  'stop-trying': act.stopRetryTimer,
  'stop-timers': act.stopTimers,
  finish: act.finish,
  end: act.end,
})
