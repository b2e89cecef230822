-- macros: values that stand for "not known" (the arguments are normalised, but for that of no_number)
CREATE OR REPLACE TEMP MACRO newborn_name(given) AS regexp_full_match(given, '$newborn');
CREATE OR REPLACE TEMP MACRO john_doe(given, family) AS
    coalesce(given IN ($john) AND family IN ($doe), false) OR coalesce(family IN ($john) AND given IN ($doe), false);
CREATE OR REPLACE TEMP MACRO known_given(given, family) AS
    CASE
        WHEN regexp_full_match(given, '$given') OR newborn_name(given) OR john_doe(given, family) THEN NULL
        ELSE given
    END;
CREATE OR REPLACE TEMP MACRO known_family(given, family) AS
    CASE WHEN regexp_full_match(family, '$words') OR john_doe(given, family) THEN NULL ELSE family END;
CREATE OR REPLACE TEMP MACRO known_date(date) AS
    CASE WHEN date IN ($dates) OR date < '$oldest' THEN NULL ELSE date END;
CREATE OR REPLACE TEMP MACRO known_address(address) AS
    CASE WHEN regexp_full_match(address, '$addresses') THEN NULL ELSE address END;
CREATE OR REPLACE TEMP MACRO known_phone(phone) AS
    CASE
        WHEN regexp_full_match(phone, '.*(0{7}|1{7}|2{7}|3{7}|4{7}|5{7}|6{7}|7{7}|8{7}|9{7}).*')
            OR regexp_full_match(phone, '(0|1)?(123456789|234567890|1234567890|12345678|1234567)[0-9]?') THEN NULL
        ELSE phone
    END;
-- A number that is only zeros, one digit over and over, a count of the digits, or a word.
CREATE OR REPLACE TEMP MACRO plain_number(written) AS
    regexp_replace(lower(written), '[^\p{L}\p{N}]+', '', 'g');
CREATE OR REPLACE TEMP MACRO no_number(written) AS
    regexp_full_match(
        plain_number(written),
        '|$no_number|0+|1{5,}|2{5,}|3{5,}|4{5,}|5{5,}|6{5,}|7{5,}|8{5,}|9{4,}|0*(123456789|1234567890|123456789012345678)|9876543210?'
    );
