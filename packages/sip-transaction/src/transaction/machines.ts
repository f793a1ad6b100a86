/** The four transaction machines (RFC 3261 §17), by the kind of transaction that they run. */
import type { Machine } from '../fsm/machine'
import type { TransactionContext } from './context'
import { inviteClientMachine } from './invite-client'
import { inviteServerMachine } from './invite-server'
import { nonInviteClientMachine } from './non-invite-client'
import { nonInviteServerMachine } from './non-invite-server'
import type { Transaction, TransactionKind } from './transaction'

/** The machine of each kind of transaction. */
export const transactionMachines: Readonly<Record<TransactionKind, Machine<Transaction, TransactionContext>>> = {
  'invite-client': inviteClientMachine,
  'invite-server': inviteServerMachine,
  'non-invite-client': nonInviteClientMachine,
  'non-invite-server': nonInviteServerMachine,
}
