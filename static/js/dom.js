// The few words in which the other files speak of the page.

export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
export const visible = (element) => Boolean(element?.checkVisibility());
/** Whether keys belong to this element as text. */
export const typing = (element) => element.matches("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
