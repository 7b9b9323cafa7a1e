import type { StorageRules } from '@/protocol/http/recordingShapes'

/** Bytes in GB, as people speak of disks; less than that in MB. */
export const gigabytes = (bytes: number): string => {
  const amount = bytes / 1e9
  if (amount < 1) return `${Math.round(bytes / 1e6)} MB`
  return `${amount >= 100 ? Math.round(amount) : Number(amount.toPrecision(2))} GB`
}

/** The days that count where all kinds are kept alike. */
export function overall(rules: StorageRules): { days: number } | null {
  const different = [...new Set(Object.values(rules.countingDays))]
  const [days] = different
  return different.length === 1 && days !== undefined ? { days } : null
}

/** What a field for numbers holds: nothing where it is empty. */
export const numberOf = (field: string | number | undefined): number | null =>
  field === '' || field === undefined ? null : Number(field)
