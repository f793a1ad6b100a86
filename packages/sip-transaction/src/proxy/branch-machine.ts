/** One branch of a proxied request: RFC 3261 §16.6 (step 11, timer C), §16.8 (its end), §16.10 (CANCEL). A table. */
import { ignore, impossible, type MachineDefinition, step } from '../fsm/definition'

/** The states of a branch. */
export type BranchState = 'waiting' | 'trying' | 'proceeding' | 'cancelling' | 'terminated'

/** What can happen to a branch. */
export type BranchInput = 'try' | 'provisional' | 'final' | 'cancel' | 'late'

type Action = 'send' | 'start-limit' | 'restart-limit' | 'stop-limit' | 'send-cancel' | 'release'

const onFinal = step<BranchState, Action>('terminated', 'stop-limit', 'release')
const onCancel = step<BranchState, Action>('cancelling', 'stop-limit', 'send-cancel')

/** The table of one branch. */
export const proxyBranchDefinition: MachineDefinition<BranchState, BranchInput, Action> = {
  name: 'proxy-branch',
  title: 'Branch of a proxied request',
  source:
    'RFC 3261 §16.6, §16.8 and §16.10. The branch of a request other than INVITE is never cancelled: the transaction layer ' +
    'lets it end by itself. Timer C and the time that one target may take run out as the same input.',
  states: {
    waiting: 'In the target set; not tried yet.',
    trying: 'The request is on its way; nothing has come back.',
    proceeding: 'A provisional response has come.',
    cancelling: 'It is to end: CANCEL follows, or waits for a provisional response; the final response is awaited.',
    terminated: 'It has its final response, or will never be tried.',
  },
  inputs: {
    try: 'It is its turn.',
    provisional: 'A 1xx response.',
    final: 'A final response, or what counts as one: no answer in time, nobody to be reached.',
    cancel: 'Its answer is not wanted any more.',
    late: 'Timer C, or the time that one target may take, has run out.',
  },
  actions: {
    send: 'Forward the request to its target.',
    'start-limit': 'Start timer C, or the time that one target may take.',
    'restart-limit': 'Start timer C again, unless the response is 100.',
    'stop-limit': 'Stop both.',
    'send-cancel': 'Cancel the request.',
    release: 'Give its share of Max-Breadth back.',
  },
  start: step('waiting'),
  final: 'terminated',
  table: {
    waiting: {
      try: step('trying', 'start-limit', 'send'),
      provisional: impossible,
      final: impossible,
      cancel: step('terminated'),
      late: impossible,
    },
    trying: {
      try: impossible,
      provisional: step('proceeding', 'restart-limit'),
      final: onFinal,
      cancel: onCancel,
      late: onCancel,
    },
    proceeding: {
      try: impossible,
      provisional: step('proceeding', 'restart-limit'),
      final: onFinal,
      cancel: onCancel,
      late: onCancel,
    },
    cancelling: {
      try: impossible,
      provisional: ignore,
      final: onFinal,
      cancel: ignore,
      late: impossible,
    },
  },
}
