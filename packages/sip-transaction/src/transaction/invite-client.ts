/**
 * INVITE client transaction (RFC 3261 §17.1.1, with the Accepted state of RFC 6026 §7.2, CANCEL of §9.1 and timer C of
 * §16.6 and §16.8).
 */
import { ignore, impossible, type MachineDefinition, step } from '../fsm/definition'
import { compileMachine, type Machine } from '../fsm/machine'
import { ackFor } from './ack-cancel'
import * as act from './context'
import type { Transaction } from './transaction'

type State = 'calling' | 'cancel-waiting' | 'proceeding' | 'cancelling' | 'accepted' | 'completed' | 'terminated'

type Input =
  | 'provisional'
  | 'success'
  | 'failure'
  | 'cancel'
  | 'timerA'
  | 'timerB'
  | 'timerC'
  | 'timerD'
  | 'timerM'
  | 'timerCancelled'
  | 'transportError'

type Action =
  | 'send-request'
  | 'resend'
  | 'send-ack'
  | 'send-cancel'
  | 'pass-response'
  | 'pass-stray'
  | 'fail-timeout'
  | 'fail-transport'
  | 'start-A'
  | 'double-A'
  | 'start-B'
  | 'start-C'
  | 'restart-C'
  | 'start-D'
  | 'start-M'
  | 'start-cancelled'
  | 'stop-timers'
  | 'finish'
  | 'end'

const onSuccess = step<State, Action>('accepted', 'stop-timers', 'pass-response', 'finish', 'start-M')
const onFailure = step<State, Action>('completed', 'stop-timers', 'send-ack', 'pass-response', 'finish', 'start-D')
const onTransportError = step<State, Action>('terminated', 'fail-transport', 'end')
const onTimeout = step<State, Action>('terminated', 'fail-timeout', 'end')
const onLingered = step<State, Action>('terminated', 'end')
const onTimerA = ['resend', 'double-A'] as const

/** The table of the INVITE client transaction. */
export const inviteClientDefinition: MachineDefinition<State, Input, Action> = {
  name: 'invite-client',
  title: 'INVITE client transaction',
  source:
    'RFC 3261 §17.1.1, RFC 6026 §7.2 and §8.4, CANCEL as in RFC 3261 §9.1. Beyond the figures of the RFCs: CANCEL waits ' +
    'for a provisional response in a state of its own; timer C (§16.6) ends an INVITE that stays with provisional ' +
    'responses; a 2xx after a failure goes to the TU as a stray response, so that it can be acknowledged and ended.',
  states: {
    calling: 'The INVITE has been sent; nothing has come back.',
    'cancel-waiting': 'The same, and CANCEL is to follow the first provisional response.',
    proceeding: 'A provisional response has come.',
    cancelling: 'CANCEL has been sent; the final response is awaited.',
    accepted: 'A 2xx has come; further ones (forks, retransmissions) are passed to the TU.',
    completed: 'A failure response has come and been acknowledged; its retransmissions are acknowledged again.',
    terminated: 'Gone.',
  },
  inputs: {
    provisional: 'A 1xx response.',
    success: 'A 2xx response.',
    failure: 'A 300–699 response.',
    cancel: 'The TU wants the INVITE cancelled.',
    timerA: 'Retransmission of the INVITE is due.',
    timerB: 'No response for 64·T1.',
    timerC: 'No final response, and no sign of progress, for more than three minutes.',
    timerD: 'No more retransmissions of the failure response are expected.',
    timerM: 'No more 2xx responses are expected.',
    timerCancelled: 'No final response for 64·T1 after CANCEL.',
    transportError: 'Something could not be sent.',
  },
  actions: {
    'send-request': 'Send the INVITE.',
    resend: 'Send the same bytes again: the INVITE, or later the ACK.',
    'send-ack': 'Make the ACK from the INVITE and the To of the response, and send it.',
    'send-cancel': 'Send CANCEL in a transaction of its own.',
    'pass-response': 'Pass the response to the TU.',
    'pass-stray': 'Pass the response to the TU as one that belongs to no transaction.',
    'fail-timeout': 'Tell the TU that no final response came.',
    'fail-transport': 'Tell the TU that the request could not be sent.',
    'start-A': 'Start timer A at T1 (unreliable transports only).',
    'double-A': 'Start timer A at twice its last interval.',
    'start-B': 'Start timer B.',
    'start-C': 'Start timer C.',
    'restart-C': 'Start timer C again, unless the response is 100.',
    'start-D': 'Start timer D; zero on reliable transports.',
    'start-M': 'Start timer M.',
    'start-cancelled': 'Start the time that a cancelled INVITE may still take.',
    'stop-timers': 'Stop all timers.',
    finish: 'Keep only key, last bytes and destination.',
    end: 'Let the transaction go and tell the TU.',
  },
  start: step('calling', 'send-request', 'start-A', 'start-B'),
  final: 'terminated',
  table: {
    calling: {
      provisional: step('proceeding', 'stop-timers', 'start-C', 'pass-response'),
      success: onSuccess,
      failure: onFailure,
      cancel: step('cancel-waiting'),
      timerA: step('calling', ...onTimerA),
      timerB: onTimeout,
      timerC: impossible,
      timerD: impossible,
      timerM: impossible,
      timerCancelled: impossible,
      transportError: onTransportError,
    },
    'cancel-waiting': {
      provisional: step('cancelling', 'stop-timers', 'pass-response', 'send-cancel', 'start-cancelled'),
      success: onSuccess,
      failure: onFailure,
      cancel: ignore,
      timerA: step('cancel-waiting', ...onTimerA),
      timerB: onTimeout,
      timerC: impossible,
      timerD: impossible,
      timerM: impossible,
      timerCancelled: impossible,
      transportError: onTransportError,
    },
    proceeding: {
      provisional: step('proceeding', 'restart-C', 'pass-response'),
      success: onSuccess,
      failure: onFailure,
      cancel: step('cancelling', 'stop-timers', 'send-cancel', 'start-cancelled'),
      timerA: impossible,
      timerB: impossible,
      timerC: step('cancelling', 'send-cancel', 'start-cancelled'),
      timerD: impossible,
      timerM: impossible,
      timerCancelled: impossible,
      // The INVITE has arrived, so this is about a copy of it.
      transportError: ignore,
    },
    cancelling: {
      provisional: step('cancelling', 'pass-response'),
      success: onSuccess,
      failure: onFailure,
      cancel: ignore,
      timerA: impossible,
      timerB: impossible,
      timerC: impossible,
      timerD: impossible,
      timerM: impossible,
      timerCancelled: onTimeout,
      transportError: ignore,
    },
    accepted: {
      provisional: ignore,
      success: step('accepted', 'pass-response'),
      failure: ignore,
      cancel: ignore,
      timerA: impossible,
      timerB: impossible,
      timerC: impossible,
      timerD: impossible,
      timerM: onLingered,
      timerCancelled: impossible,
      transportError: ignore,
    },
    completed: {
      provisional: ignore,
      success: step('completed', 'pass-stray'),
      failure: step('completed', 'resend'),
      cancel: ignore,
      timerA: impossible,
      timerB: impossible,
      timerC: impossible,
      timerD: onLingered,
      timerM: impossible,
      timerCancelled: impossible,
      // The TU has its final response; there is nothing to tell it but the end.
      transportError: onLingered,
    },
  },
}

/** Runs INVITE client transactions. */
export const inviteClientMachine: Machine<Transaction, act.TransactionContext> = compileMachine<
  State,
  Input,
  Action,
  Transaction,
  act.TransactionContext
>(inviteClientDefinition, {
  'send-request': act.sendRequest,
  resend: act.sendBytes,
  'send-ack': sendAck,
  'send-cancel': (transaction, context) => context.sendCancel(transaction),
  'pass-response': act.passResponse,
  'pass-stray': passStray,
  'fail-timeout': act.fail('timeout'),
  'fail-transport': act.fail('transport'),
  'start-A': (transaction, context) => act.startRetry(transaction, context, 'timerA', context.timers.A),
  'double-A': (transaction, context) => act.doubleRetry(transaction, context, 'timerA', Number.POSITIVE_INFINITY),
  'start-B': (transaction, context) => act.startLimit(transaction, context, 'timerB', context.timers.B),
  'start-C': (transaction, context) => act.startLimit(transaction, context, 'timerC', context.timers.C),
  'restart-C': restartC,
  'start-D': (transaction, context) => act.startLinger(transaction, context, 'timerD', context.timers.D),
  'start-M': startM,
  'start-cancelled': (transaction, context) =>
    act.startLimit(transaction, context, 'timerCancelled', context.timers.cancelled),
  'stop-timers': act.stopTimers,
  finish: act.finish,
  end: act.end,
})

function sendAck(transaction: Transaction, context: act.TransactionContext): void {
  const { request } = transaction
  const { message } = context
  if (request === undefined || message?.kind !== 'response') return
  transaction.bytes = ackFor(request, message).toBytes()
  act.sendBytes(transaction, context)
}

function passStray({ id }: Transaction, context: act.TransactionContext): void {
  const { message, flow } = context
  if (message?.kind !== 'response' || flow === undefined) return
  context.out.push({ kind: 'stray-response', response: message, flow, transactionId: id })
}

function restartC(transaction: Transaction, context: act.TransactionContext): void {
  const { message } = context
  if (message?.kind !== 'response' || message.status === 100) return
  act.startLimit(transaction, context, 'timerC', context.timers.C)
}

function startM(transaction: Transaction, context: act.TransactionContext): void {
  // Nothing is retransmitted from here on: the ACK belongs to the dialog.
  act.dropBytes(transaction, context)
  act.startLimit(transaction, context, 'timerM', context.timers.M)
}
