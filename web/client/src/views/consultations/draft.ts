const key = (consultationId: string): string => `huitang.outcome.${consultationId}`

/** What an expert has written of an outcome so far: survives a reload of the page, goes with the tab. */
export const outcomeDraft = {
  of: (consultationId: string): string => sessionStorage.getItem(key(consultationId)) ?? '',
  keep: (consultationId: string, text: string): void => sessionStorage.setItem(key(consultationId), text),
  drop: (consultationId: string): void => sessionStorage.removeItem(key(consultationId)),
}
