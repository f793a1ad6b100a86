/**
 * Runs a machine: looks the pair up in the table, sets the next state, carries the actions out. A timer of zero length
 * fires within the same step (RFC 3261 §17 sets D, I, J and K to zero on reliable transports).
 */
import type { MachineDefinition } from './definition'

/** What a machine drives: anything with a state. */
export interface MachineSubject {
  state: string
  /** An input that an action asks for right after the step; the machine takes it and clears it. */
  pendingInput: string | undefined
}

/** Carries out one action. */
export type ActionHandler<Subject, Context> = (subject: Subject, context: Context) => void

/** What came of an input. */
export type StepOutcome = 'stepped' | 'ignored' | 'impossible'

interface CompiledStep<Subject, Context> {
  readonly run: readonly ActionHandler<Subject, Context>[]
  readonly next: string
}

type CompiledCell<Subject, Context> = CompiledStep<Subject, Context> | 'ignore' | 'impossible'

/** A table bound to the functions that carry out its actions. It holds no state: one serves all subjects of its kind. */
export class Machine<Subject extends MachineSubject, Context> {
  readonly definition: MachineDefinition<string, string, string>
  private readonly first: CompiledStep<Subject, Context>
  private readonly rows: Readonly<Record<string, Readonly<Record<string, CompiledCell<Subject, Context>>>>>

  constructor(
    definition: MachineDefinition<string, string, string>,
    first: CompiledStep<Subject, Context>,
    rows: Readonly<Record<string, Readonly<Record<string, CompiledCell<Subject, Context>>>>>,
  ) {
    this.definition = definition
    this.first = first
    this.rows = rows
  }

  /** Brings a new subject into its first state. */
  start(subject: Subject, context: Context): void {
    this.carryOut(this.first, subject, context)
  }

  /**
   * Gives one input to a subject. 'impossible' means that the input has no place in the subject's state: an error of
   * the program, after which the caller ends the subject. The final state ignores everything.
   */
  handle(subject: Subject, input: string, context: Context): StepOutcome {
    const cell = this.rows[subject.state]?.[input]
    if (cell === undefined) return subject.state === this.definition.final ? 'ignored' : 'impossible'
    if (cell === 'ignore') return 'ignored'
    if (cell === 'impossible') return 'impossible'
    return this.carryOut(cell, subject, context)
  }

  private carryOut(cell: CompiledStep<Subject, Context>, subject: Subject, context: Context): StepOutcome {
    subject.state = cell.next
    for (const action of cell.run) action(subject, context)
    const input = subject.pendingInput
    if (input === undefined) return 'stepped'
    subject.pendingInput = undefined
    return this.handle(subject, input, context) === 'impossible' ? 'impossible' : 'stepped'
  }
}

/** Binds a definition to one function for each of its actions. */
export function compileMachine<
  State extends string,
  Input extends string,
  Action extends string,
  Subject extends MachineSubject,
  Context,
>(
  definition: MachineDefinition<State, Input, Action>,
  handlers: Readonly<Record<Action, ActionHandler<Subject, Context>>>,
): Machine<Subject, Context> {
  const bind = (step: { readonly run: readonly Action[]; readonly next: State }): CompiledStep<Subject, Context> => ({
    run: step.run.map((action) => handlers[action]),
    next: step.next,
  })
  const rows: Record<string, Record<string, CompiledCell<Subject, Context>>> = {}
  for (const state of Object.keys(definition.table) as Exclude<State, 'terminated'>[]) {
    const row: Record<string, CompiledCell<Subject, Context>> = {}
    for (const input of Object.keys(definition.inputs) as Input[]) {
      const cell = definition.table[state][input]
      row[input] = cell === 'ignore' || cell === 'impossible' ? cell : bind(cell)
    }
    rows[state] = row
  }
  return new Machine(definition, bind(definition.start), rows)
}
