/** Non-INVITE client transaction (RFC 3261 §17.1.2, RFC 4320 §4). */
import { ignore, impossible, type MachineDefinition, step } from '../fsm/definition'
import { compileMachine, type Machine } from '../fsm/machine'
import * as act from './context'
import type { Transaction } from './transaction'

type State = 'trying' | 'proceeding' | 'completed' | 'terminated'

type Input = 'provisional' | 'final' | 'timerE' | 'timerF' | 'timerK' | 'transportError'

type Action =
  | 'send-request'
  | 'resend'
  | 'pass-response'
  | 'fail-timeout'
  | 'fail-transport'
  | 'start-E'
  | 'double-E'
  | 'slow-E'
  | 'start-F'
  | 'start-K'
  | 'stop-timers'
  | 'finish'
  | 'end'

const onFinal = step<State, Action>('completed', 'stop-timers', 'pass-response', 'finish', 'start-K')
const onTransportError = step<State, Action>('terminated', 'fail-transport', 'end')
const onTimeout = step<State, Action>('terminated', 'fail-timeout', 'end')
const onLingered = step<State, Action>('terminated', 'end')

/** The table of the non-INVITE client transaction. */
export const nonInviteClientDefinition: MachineDefinition<State, Input, Action> = {
  name: 'non-invite-client',
  title: 'Non-INVITE client transaction',
  source: 'RFC 3261 §17.1.2, RFC 4320.',
  states: {
    trying: 'The request has been sent; nothing has come back.',
    proceeding: 'A provisional response has come.',
    completed: 'The final response has come; its retransmissions are absorbed.',
    terminated: 'Gone.',
  },
  inputs: {
    provisional: 'A 1xx response.',
    final: 'A 200–699 response.',
    timerE: 'Retransmission of the request is due.',
    timerF: 'No final response for 64·T1.',
    timerK: 'No more retransmissions of the response are expected.',
    transportError: 'The request could not be sent.',
  },
  actions: {
    'send-request': 'Send the request.',
    resend: 'Send the same bytes again.',
    'pass-response': 'Pass the response to the TU.',
    'fail-timeout': 'Tell the TU that no final response came.',
    'fail-transport': 'Tell the TU that the request could not be sent.',
    'start-E': 'Start timer E at T1 (unreliable transports only).',
    'double-E': 'Start timer E at twice its last interval, T2 at most.',
    'slow-E': 'Start timer E at T2.',
    'start-F': 'Start timer F.',
    'start-K': 'Start timer K; zero on reliable transports.',
    'stop-timers': 'Stop all timers.',
    finish: 'Keep only the key.',
    end: 'Let the transaction go and tell the TU.',
  },
  start: step('trying', 'send-request', 'start-E', 'start-F'),
  final: 'terminated',
  table: {
    trying: {
      provisional: step('proceeding', 'pass-response'),
      final: onFinal,
      timerE: step('trying', 'resend', 'double-E'),
      timerF: onTimeout,
      timerK: impossible,
      transportError: onTransportError,
    },
    proceeding: {
      provisional: step('proceeding', 'pass-response'),
      final: onFinal,
      timerE: step('proceeding', 'resend', 'slow-E'),
      timerF: onTimeout,
      timerK: impossible,
      transportError: onTransportError,
    },
    completed: {
      provisional: ignore,
      final: ignore,
      timerE: impossible,
      timerF: impossible,
      timerK: onLingered,
      transportError: ignore,
    },
  },
}

/** Runs non-INVITE client transactions. */
export const nonInviteClientMachine: Machine<Transaction, act.TransactionContext> = compileMachine<
  State,
  Input,
  Action,
  Transaction,
  act.TransactionContext
>(nonInviteClientDefinition, {
  'send-request': act.sendRequest,
  resend: act.sendBytes,
  'pass-response': act.passResponse,
  'fail-timeout': act.fail('timeout'),
  'fail-transport': act.fail('transport'),
  'start-E': (transaction, context) => act.startRetry(transaction, context, 'timerE', context.timers.E),
  'double-E': (transaction, context) => act.doubleRetry(transaction, context, 'timerE', context.timers.T2),
  'slow-E': (transaction, context) => act.startRetry(transaction, context, 'timerE', context.timers.T2),
  'start-F': (transaction, context) => act.startLimit(transaction, context, 'timerF', context.timers.F),
  'start-K': startK,
  'stop-timers': act.stopTimers,
  finish: act.finish,
  end: act.end,
})

function startK(transaction: Transaction, context: act.TransactionContext): void {
  act.dropBytes(transaction, context)
  act.startLinger(transaction, context, 'timerK', context.timers.K)
}
