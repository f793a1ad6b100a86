/**
 * INVITE server transaction (RFC 3261 §17.2.1, with the Accepted state of RFC 6026 §7.1, and CANCEL of §9.2).
 */
import { responseTo } from '@carillon/sip-parser'
import { ignore, impossible, type MachineDefinition, step } from '../fsm/definition'
import { compileMachine, type Machine } from '../fsm/machine'
import * as act from './context'
import type { Transaction } from './transaction'

type State = 'trying' | 'proceeding' | 'cancelled' | 'accepted' | 'completed' | 'confirmed' | 'terminated'

type Input =
  | 'request'
  | 'ack'
  | 'cancel'
  | 'tuProvisional'
  | 'tuSuccess'
  | 'tuFailure'
  | 'timerTrying'
  | 'timerG'
  | 'timerH'
  | 'timerI'
  | 'timerL'
  | 'timerCancelled'
  | 'transportError'

type Action =
  | 'pass-request'
  | 'pass-ack'
  | 'pass-cancelled'
  | 'send-trying'
  | 'send-response'
  | 'send-terminated'
  | 'resend'
  | 'fail-timeout'
  | 'fail-transport'
  | 'start-trying'
  | 'start-G'
  | 'double-G'
  | 'start-H'
  | 'start-I'
  | 'start-L'
  | 'start-cancelled'
  | 'stop-timers'
  | 'finish'
  | 'end'

const onSuccess = step<State, Action>('accepted', 'stop-timers', 'send-response', 'finish', 'start-L')
const onFailure = step<State, Action>('completed', 'stop-timers', 'send-response', 'finish', 'start-G', 'start-H')
const onCancel = step<State, Action>('cancelled', 'stop-timers', 'pass-cancelled', 'start-cancelled')
const onLingered = step<State, Action>('terminated', 'end')

/** The table of the INVITE server transaction. */
export const inviteServerDefinition: MachineDefinition<State, Input, Action> = {
  name: 'invite-server',
  title: 'INVITE server transaction',
  source:
    'RFC 3261 §17.2.1, RFC 6026 §7.1 and §8.5, CANCEL as in RFC 3261 §9.2. Beyond the figures of the RFCs: the 200 ms ' +
    'before the automatic 100 are a state of their own, and so is an INVITE that has been cancelled, which answers 487 ' +
    'by itself if the TU never does. A provisional response that cannot be sent ends nothing: the next retransmission ' +
    'of the INVITE asks for it again.',
  states: {
    trying: 'The TU has the INVITE; nothing has been answered yet.',
    proceeding: 'A provisional response has been sent.',
    cancelled: 'CANCEL has come and been answered; the TU is to answer the INVITE, with 487 as a rule.',
    accepted: 'A 2xx has been sent; retransmissions of the INVITE are absorbed.',
    completed: 'A failure response has been sent; ACK is awaited.',
    confirmed: 'ACK has come; further ones are absorbed.',
    terminated: 'Gone.',
  },
  inputs: {
    request: 'The INVITE has been retransmitted.',
    ack: 'An ACK that matches the transaction.',
    cancel: 'A CANCEL that matches the transaction; it has been answered.',
    tuProvisional: 'The TU answers 1xx.',
    tuSuccess: 'The TU answers 2xx.',
    tuFailure: 'The TU answers 300–699.',
    timerTrying: 'The TU has been silent for 200 ms.',
    timerG: 'Retransmission of the failure response is due.',
    timerH: 'No ACK for 64·T1.',
    timerI: 'No more ACKs are expected.',
    timerL: 'No more retransmissions of the INVITE are expected.',
    timerCancelled: 'The TU has not answered for 32·T1 after CANCEL.',
    transportError: 'A response could not be sent.',
  },
  actions: {
    'pass-request': 'Pass the INVITE to the TU.',
    'pass-ack': 'Pass the ACK to the TU.',
    'pass-cancelled': 'Tell the TU that the INVITE has been cancelled.',
    'send-trying': 'Send 100 Trying.',
    'send-response': "Send the TU's response and keep it as the last one.",
    'send-terminated': 'Send 487 Request Terminated in place of the TU.',
    resend: 'Send the last response again, if there is one.',
    'fail-timeout': 'Tell the TU that no ACK came.',
    'fail-transport': 'Tell the TU that its final response could not be sent.',
    'start-trying': 'Start the 200 ms before 100.',
    'start-G':
      'Start timer G at T1 (unreliable transports only; a challenge, 401 or 407, is sent once: RFC 3261 §26.3.2.4).',
    'double-G': 'Start timer G at twice its last interval, T2 at most.',
    'start-H': 'Start timer H.',
    'start-I': 'Start timer I; zero on reliable transports.',
    'start-L': 'Start timer L.',
    'start-cancelled': 'Start the time that the TU may still take.',
    'stop-timers': 'Stop all timers.',
    finish: 'Keep only key, last bytes and the way back.',
    end: 'Let the transaction go and tell the TU.',
  },
  start: step('trying', 'pass-request', 'start-trying'),
  final: 'terminated',
  table: {
    trying: {
      request: ignore,
      ack: ignore,
      cancel: onCancel,
      tuProvisional: step('proceeding', 'stop-timers', 'send-response'),
      tuSuccess: onSuccess,
      tuFailure: onFailure,
      timerTrying: step('proceeding', 'send-trying'),
      timerG: impossible,
      timerH: impossible,
      timerI: impossible,
      timerL: impossible,
      timerCancelled: impossible,
      transportError: ignore,
    },
    proceeding: {
      request: step('proceeding', 'resend'),
      ack: ignore,
      cancel: onCancel,
      tuProvisional: step('proceeding', 'send-response'),
      tuSuccess: onSuccess,
      tuFailure: onFailure,
      timerTrying: impossible,
      timerG: impossible,
      timerH: impossible,
      timerI: impossible,
      timerL: impossible,
      timerCancelled: impossible,
      transportError: ignore,
    },
    cancelled: {
      request: step('cancelled', 'resend'),
      ack: ignore,
      cancel: ignore,
      tuProvisional: step('cancelled', 'send-response'),
      tuSuccess: onSuccess,
      tuFailure: onFailure,
      timerTrying: impossible,
      timerG: impossible,
      timerH: impossible,
      timerI: impossible,
      timerL: impossible,
      timerCancelled: step('completed', 'send-terminated', 'finish', 'start-G', 'start-H'),
      transportError: ignore,
    },
    accepted: {
      request: ignore,
      // A peer of RFC 2543, or one that keeps the branch: the ACK is for the 2xx and so the dialog's.
      ack: step('accepted', 'pass-ack'),
      cancel: ignore,
      tuProvisional: ignore,
      tuSuccess: step('accepted', 'send-response'),
      tuFailure: ignore,
      timerTrying: impossible,
      timerG: impossible,
      timerH: impossible,
      timerI: impossible,
      timerL: onLingered,
      timerCancelled: impossible,
      // The dialog repeats the 2xx until it is acknowledged.
      transportError: ignore,
    },
    completed: {
      request: step('completed', 'resend'),
      ack: step('confirmed', 'stop-timers', 'start-I'),
      cancel: ignore,
      tuProvisional: ignore,
      tuSuccess: ignore,
      tuFailure: ignore,
      timerTrying: impossible,
      timerG: step('completed', 'resend', 'double-G'),
      timerH: step('terminated', 'fail-timeout', 'end'),
      timerI: impossible,
      timerL: impossible,
      timerCancelled: impossible,
      transportError: step('terminated', 'fail-transport', 'end'),
    },
    confirmed: {
      request: ignore,
      ack: ignore,
      cancel: ignore,
      tuProvisional: ignore,
      tuSuccess: ignore,
      tuFailure: ignore,
      timerTrying: impossible,
      timerG: impossible,
      timerH: impossible,
      timerI: onLingered,
      timerL: impossible,
      timerCancelled: impossible,
      transportError: ignore,
    },
  },
}

/** Runs INVITE server transactions. */
export const inviteServerMachine: Machine<Transaction, act.TransactionContext> = compileMachine<
  State,
  Input,
  Action,
  Transaction,
  act.TransactionContext
>(inviteServerDefinition, {
  'pass-request': act.passRequest,
  'pass-ack': passAck,
  'pass-cancelled': passCancelled,
  'send-trying': act.sendTrying,
  'send-response': act.sendResponse,
  'send-terminated': sendTerminated,
  resend: act.sendBytes,
  'fail-timeout': act.fail('timeout'),
  'fail-transport': act.fail('transport'),
  'start-trying': (transaction, context) =>
    act.startRetryTimer(transaction, context, 'timerTrying', context.timers.inviteTrying),
  'start-G': startG,
  'double-G': (transaction, context) => act.doubleRetry(transaction, context, 'timerG', context.timers.T2),
  'start-H': (transaction, context) => act.startLimit(transaction, context, 'timerH', context.timers.H),
  'start-I': startI,
  'start-L': startL,
  'start-cancelled': (transaction, context) =>
    act.startLimit(transaction, context, 'timerCancelled', context.timers.cancelledAnswer),
  'stop-timers': act.stopTimers,
  finish: act.finish,
  end: act.end,
})

function passAck(transaction: Transaction, context: act.TransactionContext): void {
  const { message, flow } = context
  if (transaction.isInternal || message?.kind !== 'request' || flow === undefined) return
  context.out.push({ kind: 'ack', request: message, flow })
}

function passCancelled(transaction: Transaction, context: act.TransactionContext): void {
  const { request, id } = transaction
  const { message } = context
  if (transaction.isInternal || request === undefined || message?.kind !== 'request') return
  context.out.push({ kind: 'cancelled', transactionId: id, request, cancel: message })
}

function sendTerminated(transaction: Transaction, context: act.TransactionContext): void {
  const { request, response } = transaction
  if (request === undefined) return
  const toTag = response?.to.tag ?? context.random.token(64)
  transaction.bytes = responseTo(request, 487, { toTag }).toBytes()
  act.sendBytes(transaction, context)
}

/** RFC 3261 §26.3.2.4: whoever has not shown who they are, or forged a source, is owed one answer to one request. */
function startG(transaction: Transaction, context: act.TransactionContext): void {
  const { message } = context
  const isChallenge = message?.kind === 'response' && (message.status === 401 || message.status === 407)
  if (!isChallenge) act.startRetry(transaction, context, 'timerG', context.timers.G)
}

function startI(transaction: Transaction, context: act.TransactionContext): void {
  act.dropBytes(transaction, context)
  act.startLinger(transaction, context, 'timerI', context.timers.I)
}

function startL(transaction: Transaction, context: act.TransactionContext): void {
  // Retransmissions are absorbed in silence, so the 2xx need not be kept.
  act.dropBytes(transaction, context)
  act.startLimit(transaction, context, 'timerL', context.timers.L)
}
