/**
 * What a state machine is made of: a table from (state, input) to (actions, next state) in which every pair has been
 * decided. The table is plain data, so that it can be run, walked by a test and drawn.
 */

/** What happens on an input: actions in order, then the next state. */
export interface Step<State extends string, Action extends string> {
  readonly run: readonly Action[]
  readonly next: State
}

/** One cell of the table: a step, an input to be ignored, or one that cannot come in this state. */
export type Decision<State extends string, Action extends string> = Step<State, Action> | 'ignore' | 'impossible'

/** A table: for each state but the final one, a decision for each input. */
export type Table<State extends string, Input extends string, Action extends string> = Readonly<
  Record<Exclude<State, 'terminated'>, Readonly<Record<Input, Decision<State, Action>>>>
>

/** A whole machine, with the words that its drawing needs. */
export interface MachineDefinition<State extends string, Input extends string, Action extends string> {
  /** kebab-case; names the file in docs/fsm. */
  readonly name: string
  readonly title: string
  /** The sections that govern it, and where it goes further than they do. */
  readonly source: string
  readonly states: Readonly<Record<State, string>>
  readonly inputs: Readonly<Record<Input, string>>
  readonly actions: Readonly<Record<Action, string>>
  /** What happens when it is made. */
  readonly start: Step<State, Action>
  /** The state in which it is gone and takes no more input; it has no row. */
  readonly final: State & 'terminated'
  readonly table: Table<State, Input, Action>
}

/** A step to `next` that carries out `run` in order. */
export function step<State extends string, Action extends string>(next: State, ...run: Action[]): Step<State, Action> {
  return { run, next }
}

/** The input is expected in this state and changes nothing. */
export const ignore = 'ignore'

/** The input cannot come in this state; if it does, the program is wrong and this machine ends, and nothing else. */
export const impossible = 'impossible'
