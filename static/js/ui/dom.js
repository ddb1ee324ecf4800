/** The few things every page does to its document. Text only ever goes in as text. */

/**
 * An element that the template promises.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {T}
 */
export function need(selector, root = document) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return /** @type {T} */ (found);
}

/**
 * @param {string} templateId of a `<template>` with one element in it
 * @returns {HTMLElement} a copy of that element
 */
export function copyOf(templateId) {
  const template = /** @type {HTMLTemplateElement} */ (need(`#${templateId}`));
  return /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
}

/**
 * Sets text only if it differs, so that a live region does not repeat itself.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
