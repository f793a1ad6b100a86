/**
 * The session timer of one dialog: RFC 4028 §7.2 (the refresher sends a refresh when half of the interval is over) and
 * §10 (whoever hears no refresh, or gets none through, ends the session shortly before it expires). Pure.
 */
import { ignore, impossible, type MachineDefinition, step } from '../fsm/definition'

/** Where the timer stands. */
export type SessionTimerState = 'off' | 'refreshing' | 'asking' | 'watching' | 'terminated'

/** What can happen. */
export type SessionTimerInput =
  | 'agreed-local'
  | 'agreed-remote'
  | 'agreed-none'
  | 'refresh-due'
  | 'refresh-failed'
  | 'expiry-due'
  | 'close'

/** What is done about it. */
export type SessionTimerAction = 'start-both' | 'start-expiry' | 'stop' | 'refresh' | 'try-later' | 'expire'

/** The table of the session timer. */
export const sessionTimerDefinition: MachineDefinition<SessionTimerState, SessionTimerInput, SessionTimerAction> = {
  name: 'session-timer',
  title: 'Session timer of a dialog',
  source: 'RFC 4028 §7.2, §7.4, §9, §10. Every 2xx to INVITE or UPDATE agrees anew, whoever sent the request.',
  states: {
    off: 'There is no session timer',
    refreshing: 'We refresh the session; the next refresh is not due yet',
    asking: 'A refresh of ours has no final response',
    watching: 'The peer refreshes the session',
    terminated: 'The dialog is over',
  },
  inputs: {
    'agreed-local': 'A 2xx to INVITE or UPDATE says that we refresh',
    'agreed-remote': 'A 2xx to INVITE or UPDATE says that the peer refreshes',
    'agreed-none': 'A 2xx to INVITE or UPDATE without Session-Expires',
    'refresh-due': 'Half of the interval is over',
    'refresh-failed': 'The refresh was refused, or could not be sent; the dialog lives on',
    'expiry-due': 'The interval is over but for a third of it, 32 seconds at most',
    close: 'The dialog is over',
  },
  actions: {
    'start-both': 'Start both timers',
    'start-expiry': 'Start the timer of the expiry alone',
    stop: 'Stop both timers',
    refresh: 'Send UPDATE if the peer allows it, else a re-INVITE with the same offer',
    'try-later': 'Start the timer of the refresh with one sixteenth of the interval',
    expire: 'End the dialog with BYE',
  },
  start: step('off'),
  final: 'terminated',
  table: {
    off: {
      'agreed-local': step('refreshing', 'start-both'),
      'agreed-remote': step('watching', 'start-expiry'),
      'agreed-none': ignore,
      'refresh-due': impossible,
      'refresh-failed': ignore,
      'expiry-due': impossible,
      close: step('terminated', 'stop'),
    },
    refreshing: {
      'agreed-local': step('refreshing', 'start-both'),
      'agreed-remote': step('watching', 'start-expiry'),
      'agreed-none': step('off', 'stop'),
      'refresh-due': step('asking', 'refresh'),
      'refresh-failed': ignore,
      'expiry-due': step('terminated', 'expire'),
      close: step('terminated', 'stop'),
    },
    asking: {
      'agreed-local': step('refreshing', 'start-both'),
      'agreed-remote': step('watching', 'start-expiry'),
      'agreed-none': step('off', 'stop'),
      'refresh-due': impossible,
      'refresh-failed': step('refreshing', 'try-later'),
      'expiry-due': step('terminated', 'expire'),
      close: step('terminated', 'stop'),
    },
    watching: {
      'agreed-local': step('refreshing', 'start-both'),
      'agreed-remote': step('watching', 'start-expiry'),
      'agreed-none': step('off', 'stop'),
      'refresh-due': impossible,
      'refresh-failed': ignore,
      'expiry-due': step('terminated', 'expire'),
      close: step('terminated', 'stop'),
    },
  },
}

/** The session timer of one dialog. */
export class SessionTimer {
  private current: SessionTimerState = 'off'
  private intervalMs = 0
  private refreshAtMs = Number.POSITIVE_INFINITY
  private expiryAtMs = Number.POSITIVE_INFINITY

  get state(): SessionTimerState {
    return this.current
  }

  /** The interval agreed on, in seconds; 0 when there is no timer. */
  get seconds(): number {
    return this.intervalMs / 1000
  }

  /** Whether we refresh; undefined when no timer runs. */
  get weRefresh(): boolean | undefined {
    if (this.current === 'off' || this.current === 'terminated') return undefined
    return this.current !== 'watching'
  }

  /** A 2xx has settled it: `seconds` from now on, refreshed by us or by the peer; 0 seconds for no timer. */
  agree(seconds: number, isLocal: boolean, nowMs: number): void {
    this.intervalMs = seconds * 1000
    const action = this.step(seconds === 0 ? 'agreed-none' : isLocal ? 'agreed-local' : 'agreed-remote')
    this.stop()
    if (action === 'start-both' || action === 'start-expiry') this.expiryAtMs = nowMs + expiryMs(this.intervalMs)
    if (action === 'start-both') this.refreshAtMs = nowMs + this.intervalMs / 2
  }

  /** A refresh came to nothing. */
  refreshFailed(nowMs: number): void {
    if (this.step('refresh-failed') === 'try-later') this.refreshAtMs = nowMs + this.intervalMs / 16
  }

  /** The dialog is over. */
  close(): void {
    this.step('close')
    this.stop()
  }

  /** When {@link expire} is next due. */
  deadline(): number {
    return Math.min(this.refreshAtMs, this.expiryAtMs)
  }

  /** What is due: a refresh, or the end of the session. */
  expire(nowMs: number): 'refresh' | 'expire' | undefined {
    if (nowMs >= this.expiryAtMs) {
      this.stop()
      return this.step('expiry-due') === 'expire' ? 'expire' : undefined
    }
    if (nowMs < this.refreshAtMs) return undefined
    this.refreshAtMs = Number.POSITIVE_INFINITY
    return this.step('refresh-due') === 'refresh' ? 'refresh' : undefined
  }

  private stop(): void {
    this.refreshAtMs = Number.POSITIVE_INFINITY
    this.expiryAtMs = Number.POSITIVE_INFINITY
  }

  private step(input: SessionTimerInput): SessionTimerAction | undefined {
    if (this.current === 'terminated') return undefined
    const decision = sessionTimerDefinition.table[this.current][input]
    if (typeof decision === 'string') return undefined
    this.current = decision.next
    return decision.run[0]
  }
}

/** RFC 4028 §10: the BYE goes out a third of the interval before its end, 32 seconds at most. */
function expiryMs(intervalMs: number): number {
  return intervalMs - Math.min(32_000, intervalMs / 3)
}
