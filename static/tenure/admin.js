// What the admin's templates leave out for people who listen: names of searchable lists, and where the page's own part begins.
(function () {
    "use strict";

    function nameLists() {
        document.querySelectorAll("select.select2-hidden-accessible").forEach(function (select) {
            const label = document.querySelector('label[for="' + CSS.escape(select.id) + '"]');
            const name = (label ? label.textContent : select.getAttribute("aria-label") || select.name).replace("*", "").trim();
            const container = select.nextElementSibling;
            if (!container) {
                return;
            }
            container.querySelectorAll('[role="combobox"], [role="textbox"], .select2-search__field').forEach(function (part) {
                part.setAttribute("aria-label", name);
                part.removeAttribute("aria-labelledby");
            });
        });
    }

    function markMain() {
        const content = document.getElementById("content-main") || document.getElementById("changelist");
        const main = document.getElementById("main") || (content && content.parentElement);
        if (main && !document.querySelector("main, [role='main']")) {
            main.setAttribute("role", "main");
        }
    }

    document.addEventListener("DOMContentLoaded", markMain);
    document.addEventListener("DOMContentLoaded", function () {
        nameLists();
        // Lists are drawn, and drawn again, by scripts that tell nobody.
        new MutationObserver(function (changes) {
            const drawn = changes.some(function (change) {
                return Array.from(change.addedNodes).some(function (node) {
                    return node.classList && node.classList.contains("select2-container");
                });
            });
            if (drawn) {
                nameLists();
            }
        }).observe(document.body, { childList: true, subtree: true });
    });
})();
