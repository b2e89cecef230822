-- macros: the spellings of one name, number or address brought to one form (NULL where nothing is left)
CREATE OR REPLACE TEMP MACRO folded(written) AS
    CASE
        WHEN strlen(written) = length(written) OR NOT regexp_matches(written, '[^\x00-\x7F一-鿿]') THEN lower(written)
        WHEN regexp_matches(written, '[！-～　]')
            THEN lower(strip_accents(nfc_normalize(translate(written, $wide, $narrow))))
        ELSE lower(strip_accents(nfc_normalize(written)))
    END;
-- Replacing costs five times what looking costs, and most values are clean.
CREATE OR REPLACE TEMP MACRO letters_only(small) AS
    CASE
        WHEN regexp_full_match(small, '[\p{L}\p{N}]+') THEN small
        ELSE nullif(regexp_replace(small, '[^\p{L}\p{N}]+', '', 'g'), '')
    END;
CREATE OR REPLACE TEMP MACRO letters(written) AS letters_only(folded(written));
CREATE OR REPLACE TEMP MACRO words(written) AS
    nullif(trim(regexp_replace(folded(written), '[^\p{L}\p{N}]+', ' ', 'g')), '');
CREATE OR REPLACE TEMP MACRO digits(written) AS
    regexp_replace(folded(written), '[^0-9]+', '', 'g');
CREATE OR REPLACE TEMP MACRO phone_number(written) AS
    CASE
        WHEN regexp_matches(digits(written), '1[3-9][0-9]{9}$$') AND NOT regexp_matches(written, '^\s*[+]1\b') THEN right(digits(written), 11)
        WHEN length(digits(written)) >= 6 AND NOT regexp_full_match(digits(written), '$repeated')
            THEN right(digits(written), 10)
    END;
CREATE OR REPLACE TEMP MACRO check_character(seventeen) AS
    substr('10x98765432', (($checksum) % 11 + 1)::INTEGER, 1);
CREATE OR REPLACE TEMP MACRO resident_id(identifier) AS
    CASE
        WHEN strlen(identifier) = 18 AND try_cast(left(identifier, 17) AS BIGINT) >= 10000000000000000
            THEN check_character(try_cast(left(identifier, 17) AS BIGINT)) = right(identifier, 1)
        ELSE false
    END;
CREATE OR REPLACE TEMP MACRO long_resident_id(identifier) AS
    left(identifier, 6) || '19' || substr(identifier, 7)
    || check_character((left(identifier, 6) || '19' || substr(identifier, 7))::BIGINT);
CREATE OR REPLACE TEMP MACRO identifier_value(written) AS
    CASE
        WHEN length(letters(written)) < 5 OR regexp_full_match(letters(written), '$repeated|0*123456789') THEN NULL
        ELSE letters(written)
    END;
